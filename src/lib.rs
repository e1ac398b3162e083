//! Shuoshi (说事): the open backend through which villagers reach their village.
pub mod clock;
pub mod wechat;
pub mod wechat_sim;
