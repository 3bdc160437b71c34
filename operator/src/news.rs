//! Events: what a person with `kubectl describe` should know. A closed catalogue, so that alerts can name them.
use kube::runtime::events::{Event, EventType};

/// Something that happened to a plan or a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// A plan was programmed, at a new generation.
    Programmed { generation: i64 },
    /// A plan waits for a person.
    Stalled { reason: &'static str, message: String },
    /// Workers of a run were released.
    RunStarted { shards: i32, targets: i32, trace: String },
    /// A run recorded everything.
    RunSucceeded { summary: String, trace: String },
    /// A run ended with something missing.
    RunIncomplete { message: String, trace: String },
    /// A run did nothing.
    RunSkipped { message: String },
}

impl From<News> for Event {
    fn from(news: News) -> Self {
        let (type_, reason, action, note) = match news {
            News::Programmed { generation } => {
                (EventType::Normal, "Programmed", "Program", format!("generation {generation} is scheduled and programmed"))
            }
            News::Stalled { reason, message } => (EventType::Warning, reason, "Check", message),
            News::RunStarted { shards, targets, trace } => {
                (EventType::Normal, "RunStarted", "Release", format!("{shards} workers inspect {targets} devices, trace={trace}"))
            }
            News::RunSucceeded { summary, trace } => {
                (EventType::Normal, "RunSucceeded", "Finish", format!("{summary} passed, trace={trace}"))
            }
            News::RunIncomplete { message, trace } => {
                (EventType::Warning, "RunIncomplete", "Finish", format!("{message}, trace={trace}"))
            }
            News::RunSkipped { message } => (EventType::Warning, "RunSkipped", "Gate", message),
        };
        // The API server takes a note of at most 1,024 bytes.
        let note = note.char_indices().take_while(|(at, c)| at + c.len_utf8() <= 1_000).map(|(_, c)| c).collect();
        Self { type_, reason: reason.into(), note: Some(note), action: action.into(), secondary: None }
    }
}
