//! The cipher of the message push, which Tencent calls `WXBizMsgCrypt`.
//!
//! It is AES-256-CBC over 16 random bytes, the length of the text, the text and the receiver, with two traps for those who
//! reach for ready-made parts: the key's base64 has loose bits at its end, and the padding runs to 32 bytes and not to
//! the cipher's 16. Next: [`super::Inbox`].

use std::sync::Arc;

use aes::{
    Aes256,
    cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit, block_padding::NoPadding},
};
use base64::{
    Engine,
    alphabet::STANDARD as ALPHABET,
    engine::{GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};
use cbc::{Decryptor, Encryptor};
use secrecy::{ExposeSecret, SecretBox};

/// The padding's unit (and not the cipher's).
const BLOCK: usize = 32;
/// Random bytes in front, then the length.
const HEAD: usize = 16;

/// 43 characters hold 258 bits; the last two mean nothing and are often not zero.
const LOOSE: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// An `EncodingAESKey`, decoded.
#[derive(Clone, Debug)]
pub(super) struct SealKey(Arc<SecretBox<[u8; 32]>>);

impl SealKey {
    pub(super) fn new(encoding_aes_key: &str) -> Option<Self> {
        let bytes = LOOSE.decode(format!("{encoding_aes_key}=")).ok()?;
        Some(Self(Arc::new(SecretBox::new(Box::new(bytes.try_into().ok()?)))))
    }

    fn key_and_iv(&self) -> (&[u8; 32], &[u8]) {
        let key = self.0.expose_secret();
        (key, key.first_chunk::<16>().map_or(&[], |iv| iv.as_slice()))
    }

    /// Text and receiver, or nothing when any byte of the frame is not as it must be.
    pub(super) fn open(&self, sealed: &str) -> Option<(String, String)> {
        let mut data = STANDARD.decode(sealed).ok()?;
        let (key, iv) = self.key_and_iv();
        Decryptor::<Aes256>::new_from_slices(key, iv).ok()?.decrypt_padded::<NoPadding>(&mut data).ok()?;
        let padding = usize::from(*data.last()?);
        let framed = data.len().checked_sub(padding)?;
        let (frame, pad) = data.split_at_checked(framed)?;
        if !(1..=BLOCK).contains(&padding) || pad.iter().any(|byte| usize::from(*byte) != padding) {
            return None;
        }
        let (length, rest) = frame.get(HEAD..)?.split_first_chunk::<4>()?;
        let (text, receiver) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        Some((String::from_utf8(text.to_vec()).ok()?, String::from_utf8(receiver.to_vec()).ok()?))
    }

    pub(super) fn seal(&self, random: [u8; HEAD], text: &str, receiver: &str) -> Option<String> {
        let mut data = random.to_vec();
        data.extend(u32::try_from(text.len()).ok()?.to_be_bytes());
        data.extend(text.as_bytes());
        data.extend(receiver.as_bytes());
        let padding = BLOCK - data.len() % BLOCK;
        data.resize(data.len() + padding, u8::try_from(padding).ok()?);
        let length = data.len();
        let (key, iv) = self.key_and_iv();
        let cipher = Encryptor::<Aes256>::new_from_slices(key, iv).ok()?;
        Some(STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut data, length).ok()?))
    }
}
