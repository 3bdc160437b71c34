//! The catalogue of refusals (AIP-193): every reason that the platform gives, once. A reason is stable; programs compare it.
//! Each says its gRPC code, its sentence in English and Chinese, the clause of T/DGAG 038-2025 that it answers to, and
//! whether the same request may be sent again.
use std::{fmt::Display, time::Duration};

use tonic::Code;

use crate::Refusal;

/// A reason for a refusal.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// In `UPPER_SNAKE_CASE`.
    pub name: &'static str,
    /// The gRPC code.
    pub code: Code,
    /// For people, English; `{…}` are values of the refusal.
    pub en: &'static str,
    /// For people, Chinese; the same values.
    pub zh: &'static str,
    /// The clause of T/DGAG 038-2025.
    pub clause: Option<&'static str>,
    /// After how long the same request may be sent again, with the same `request_id`; `None`: it will be refused again.
    pub retry: Option<Duration>,
}

impl Reason {
    /// The refusal, without values.
    #[must_use]
    pub fn refusal(&'static self) -> Refusal {
        Refusal { reason: self, values: Vec::new(), why: None, field: None, retry: self.retry }
    }

    /// The refusal with a value.
    #[must_use]
    pub fn with(&'static self, name: &'static str, value: impl Display) -> Refusal {
        self.refusal().and(name, value)
    }
}

macro_rules! given {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:ident, $en:literal, $zh:literal $(, clause $clause:literal)? $(, again after $ms:literal ms)?;)+) => {
        $($(#[doc = $doc])+ pub static $name: Reason = Reason {
            name: stringify!($name),
            code: Code::$code,
            en: $en,
            zh: $zh,
            clause: given!($($clause)?),
            retry: given!($(Duration::from_millis($ms))?),
        };)+
        /// All of them.
        pub static ALL: &[&Reason] = &[$(&$name),+];
    };
}

reasons! {
    // Who is calling.
    /// No token and no certificate.
    TOKEN_MISSING = Unauthenticated, "the call carries no bearer token (metadata `authorization: Bearer …`)", "请求未携带令牌（authorization: Bearer …）";
    /// Not a JWT.
    TOKEN_MALFORMED = Unauthenticated, "the bearer token is not a JWT: {why}", "令牌不是有效的 JWT：{why}";
    /// Signed by somebody else.
    ISSUER_UNKNOWN = Unauthenticated, "tokens of the issuer `{issuer}` are not accepted here", "此处不接受签发者“{issuer}”的令牌";
    /// For another service.
    TOKEN_AUDIENCE = Unauthenticated, "the token is for another audience; here it must be `{audience}`", "令牌的受众应为“{audience}”";
    /// Too old.
    TOKEN_EXPIRED = Unauthenticated, "the token has expired", "令牌已过期";
    /// Signature or claims.
    TOKEN_INVALID = Unauthenticated, "the token is not valid: {why}", "令牌无效：{why}";
    /// A certificate of nobody we know.
    CERTIFICATE_UNKNOWN = Unauthenticated, "the certificate names nobody who is known here: {why}", "证书所示身份不被接受：{why}";
    /// Bound to another certificate, or another agency's.
    TOKEN_SWAPPED = Unauthenticated, "the token may not be shown with this certificate", "令牌不得与此证书一同使用";
    /// Nothing can be verified now.
    KEYS_UNAVAILABLE = Unavailable, "the keys of the issuer cannot be had right now", "暂时无法取得签发者的公钥", again after 1_000 ms;

    // What they may do.
    /// No policy permits it.
    ROLE_MISSING = PermissionDenied, "no policy permits {rpc} to {subject}", "{subject} 没有此操作（{rpc}）所需的角色";
    /// There is none, or it is outside the caller's scope.
    AGENCY_NOT_FOUND = NotFound, "there is no agency `{agency}`", "没有使用方“{agency}”";
    /// For pods of a run only.
    NOT_A_WORKER = PermissionDenied, "{subject} is not a worker of an inspection run", "{subject} 不是巡检执行单元", clause "7.3.2.1";
    /// The agency's budget of calls is used up.
    RATE_LIMITED = ResourceExhausted, "{budget} has used up its calls for now", "“{budget}”的调用配额暂已用完", again after 1_000 ms;

    // What they asked.
    /// A field is not what it must be.
    INVALID_FIELD = InvalidArgument, "{field}: {why}", "字段 {field} 不正确：{why}";
    /// The bytes are no message.
    UNDECODABLE = InvalidArgument, "the request cannot be decoded: {why}", "请求无法解析：{why}";
    /// The id is another request's.
    REQUEST_ID_REUSED = AlreadyExists, "request_id {request_id} was used before for another request", "request_id {request_id} 已用于另一请求";

    // What we could not.
    /// PostgreSQL is away.
    DATABASE_AWAY = Unavailable, "the database is away, try again", "数据库暂不可用，请重试", again after 1_000 ms;
    /// Our fault.
    INTERNAL = Internal, "internal error", "内部错误";
    /// Another service is away.
    INVENTORY_AWAY = Unavailable, "the inventory did not answer: {why}", "设备台账服务暂不可用，请重试（{why}）", again after 1_000 ms;

    /// Whoever was away for too long reads the list and watches from then on.
    RESUME_TOKEN_TOO_OLD = OutOfRange, "more has happened since this resume_token than is told again: list the tickets, and watch from now on", "自该 resume_token 以来发生的变化过多，不再逐条补发：请重新列出工单，并从现在起监听";

    // What has to wait.
    /// As many watch already as one replica serves.
    TOO_MANY_WATCH = ResourceExhausted, "too many watch already", "正在监听的客户端过多，请稍后重试", again after 5_000 ms;
    /// There is no room to wait in.
    TOO_MANY_WAIT = ResourceExhausted, "too many requests wait to be written", "等待写入的请求过多，请稍后重试", again after 500 ms;
    /// The process is about to end.
    STOPPING = Unavailable, "the process is to stop", "服务正在停止，请重试", again after 500 ms;
    /// The commit was not heard of again.
    OUTCOME_UNKNOWN = Unavailable, "whether the request was written is not known: ask again under the same request_id", "请求是否写入尚不确定，请以同一 request_id 重试", again after 500 ms;

    // Parked messages.
    /// There is none.
    PARKED_MESSAGE_NOT_FOUND = NotFound, "there is no parked message {message}", "没有搁置的消息 {message}";

    // Tickets.
    /// There is none.
    TICKET_NOT_FOUND = NotFound, "there is no ticket {ticket}", "没有工单 {ticket}";
    /// Nobody works on it.
    TICKET_NOT_ASSIGNED = FailedPrecondition, "ticket {ticket} is not assigned", "工单 {ticket} 尚未分配", clause "7.4.1.4";
    /// It is past the work.
    TICKET_WORK_IS_OVER = FailedPrecondition, "the work on ticket {ticket} is over", "工单 {ticket} 的处理已结束", clause "7.4.1.5";
    /// It does not wait for its user.
    TICKET_NOTHING_TO_CONFIRM = FailedPrecondition, "ticket {ticket} does not await its user's confirmation", "工单 {ticket} 不在待用户确认状态", clause "7.4.1.6";
    /// Its user has not confirmed.
    TICKET_NOT_CONFIRMED = FailedPrecondition, "ticket {ticket} is not confirmed by its user and cannot be closed", "工单 {ticket} 未经使用方确认，不能关闭", clause "7.4.1.6";
    /// Somebody was faster.
    TICKET_CHANGED = Aborted, "ticket {ticket} was changed since it was read", "工单 {ticket} 在读取后已被修改";

    // Devices.
    /// There is none.
    DEVICE_NOT_FOUND = NotFound, "there is no device {device}", "没有设备 {device}", clause "7.2";
    /// Its id is taken.
    DEVICE_EXISTS = AlreadyExists, "there is already a device {device}", "设备 {device} 已存在", clause "7.2";
    /// It is out of service.
    DEVICE_RETIRED = FailedPrecondition, "device {device} is retired", "设备 {device} 已停用", clause "7.2";
    /// Somebody was faster.
    DEVICE_CHANGED = Aborted, "device {device} was changed since it was read", "设备 {device} 在读取后已被修改";

    // Inspection.
    /// There is none.
    PLAN_NOT_FOUND = NotFound, "there is no plan {plan}", "没有巡检计划 {plan}", clause "7.3.2.1";
    /// A newer generation is held.
    PLAN_STALE = FailedPrecondition, "plan {plan} is at generation {held}, generation {offered} is older", "巡检计划 {plan} 已是第 {held} 版，不接受第 {offered} 版";
    /// There is none.
    RUN_NOT_FOUND = NotFound, "there is no run {run}", "没有巡检执行 {run}", clause "7.3.2.1";
    /// It has ended.
    RUN_FINISHED = FailedPrecondition, "run {run} has ended", "巡检执行 {run} 已结束", clause "7.3.2.1.5";
    /// There is none.
    FINDING_NOT_FOUND = NotFound, "there is no finding {finding}", "没有发现问题 {finding}", clause "7.3.2.1";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn values(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).map(|rest| rest.split_once('}').unwrap().0).collect()
    }

    #[test]
    fn both_languages_say_the_same() {
        for reason in ALL {
            assert_eq!(values(reason.en), values(reason.zh), "{}", reason.name);
            assert!(reason.zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{}", reason.name);
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let names: BTreeSet<_> = ALL.iter().map(|reason| reason.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn what_may_be_sent_again_is_what_its_code_says_may() {
        for reason in ALL {
            let transient = matches!(reason.code, Code::Unavailable | Code::ResourceExhausted);
            assert_eq!(reason.retry.is_some(), transient, "{}", reason.name);
        }
    }
}
