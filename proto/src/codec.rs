//! The codec under every service and client: prost's, except that a request which cannot be decoded is the caller's mistake
//! (`INVALID_ARGUMENT`, naming the field), not ours (`INTERNAL`).
use std::marker::PhantomData;

use prost::Message;
use tonic::{
    Status,
    codec::{BufferSettings, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use crate::{Invalid, Why, why};

/// Room that each message is given at first; one that is larger gets more. Nearly all fit, and an allocator keeps pieces of this size at hand: tonic's 8 KiB for each request and
/// each answer were a twelfth of what a call costs (measured).
const ROOM: usize = 1_000;
/// Messages of a stream leave together up to this, as tonic has it.
const TOGETHER: usize = 32 << 10;

/// Protobuf on the wire.
#[derive(Debug)]
pub(crate) struct Codec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for Codec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> tonic::codec::Codec for Codec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Outgoing<T>;
    type Decoder = Incoming<U>;

    fn encoder(&mut self) -> Self::Encoder {
        Outgoing(PhantomData)
    }

    fn decoder(&mut self) -> Self::Decoder {
        Incoming(PhantomData)
    }
}

#[derive(Debug)]
pub(crate) struct Outgoing<T>(PhantomData<T>);

impl<T: Message> Encoder for Outgoing<T> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer).expect("a message fits the buffer that grows with it");
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(ROOM, TOGETHER)
    }
}

#[derive(Debug)]
pub(crate) struct Incoming<U>(PhantomData<U>);

impl<U: Message + Default> Decoder for Incoming<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        U::decode(buffer).map(Some).map_err(|error| undecodable(&error))
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(ROOM, TOGETHER)
    }
}

/// prost says `failed to decode Protobuf message: Device.display_name: CreateDeviceRequest.device: invalid string value: …`:
/// innermost field first. The caller reads it from the outside in: `device.display_name`.
fn undecodable(error: &prost::DecodeError) -> Status {
    let text = error.to_string();
    let text = text.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&text);
    let mut path = Vec::new();
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once(": ") {
        let Some((message, field)) = head.split_once('.') else { break };
        if message.is_empty() || !message.chars().all(char::is_alphanumeric) {
            break;
        }
        path.push(field);
        rest = tail;
    }
    path.reverse();
    let why = if rest.contains("UTF-8") { why!("is not UTF-8 text", "不是 UTF-8 文本") } else { Why::quoted(rest) };
    Invalid::at(path.join("."), why).into()
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;
    use crate::inventory::v1::{CreateDeviceRequest, Device};

    #[test]
    fn a_name_that_is_not_utf8_is_refused_with_the_path_of_its_field() {
        let device = Device { display_name: "AAAA".into(), ..Device::default() };
        let request = CreateDeviceRequest { device: Some(device), ..CreateDeviceRequest::default() };
        let mut bytes = request.encode_to_vec();
        let at = bytes.windows(4).position(|window| window == b"AAAA").unwrap();
        bytes[at] = 0xff;
        let error = CreateDeviceRequest::decode(&*bytes).unwrap_err();
        let status = undecodable(&error);
        assert_eq!(status.code(), tonic::Code::InvalidArgument);
        let violation = &status.get_details_bad_request().unwrap().field_violations[0];
        assert_eq!(violation.field, "device.display_name");
        assert_eq!(violation.description, "is not UTF-8 text");
    }
}
