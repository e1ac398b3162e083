//! Who is behind a code: of the page that signs in by OAuth, or of a mini program opened inside WeCom.
//!
//! The pages are 身份验证, 获取访问用户身份 and 小程序登录, `code2Session`; a code lives five minutes and is good for one
//! use. Customers and strangers have codes too, so "not a member" is an answer of its own. Next: [`super::Client`].

use serde::Deserialize;

use super::{Client, WecomError};

/// A member of the organisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// As the organisation's directory has it; it compares without regard to case.
    pub userid: String,
}

/// Members have a userid; others an openid or an external userid, which are of no use here.
#[derive(Deserialize)]
pub(super) struct Visitor {
    #[serde(default, alias = "UserId")]
    userid: String,
}

#[derive(Deserialize)]
pub(super) struct MiniProgramVisitor {
    #[serde(default)]
    pub(super) corpid: String,
    #[serde(default)]
    userid: String,
}

impl Visitor {
    pub(super) fn member(self) -> Result<Member, WecomError> {
        if self.userid.is_empty() { Err(WecomError::NotAMember) } else { Ok(Member { userid: self.userid }) }
    }
}

impl MiniProgramVisitor {
    /// Members of other organisations may open the same mini program; they are none of ours.
    pub(super) fn member_of(self, corp_id: &str) -> Result<Member, WecomError> {
        let ours = self.corpid == corp_id;
        let visitor = Visitor { userid: self.userid };
        if ours { visitor.member() } else { Err(WecomError::NotAMember) }
    }
}

impl Client {
    /// The member whose browser came back with `code` (`scope=snsapi_base`). A code that is unknown, used or over is
    /// [`crate::wechat::WechatError::BadCode`].
    pub async fn member_of_code(&self, code: &str) -> Result<Member, WecomError> {
        self.get_with_token::<Visitor>("/cgi-bin/auth/getuserinfo", &[("code", code)]).await?.member()
    }

    /// The member who opened the mini program inside WeCom, by the code of `wx.qy.login`.
    pub async fn member_of_mini_program_code(&self, code: &str) -> Result<Member, WecomError> {
        let query = [("js_code", code), ("grant_type", "authorization_code")];
        let visitor: MiniProgramVisitor = self.get_with_token("/cgi-bin/miniprogram/jscode2session", &query).await?;
        visitor.member_of(&self.settings.corp_id)
    }
}
