//! Every rpc of the platform, read from the descriptors: for whatever must know them all and must not keep a second list.
use prost::Message;

/// An rpc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rpc {
    /// `package.Service/Method`, as the wire and the spans say it.
    pub name: String,
    /// The names of the fields of its request.
    pub request: Vec<String>,
}

impl Rpc {
    /// `Method`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.name.rsplit_once('/').map_or(self.name.as_str(), |(_, method)| method)
    }

    /// Whether it only reads: what AIP-131 and AIP-132 call Get and List, and what Kubernetes calls Watch.
    #[must_use]
    pub fn reads(&self) -> bool {
        ["Get", "List", "Watch"].iter().any(|verb| self.method().starts_with(verb))
    }
}

/// All of them, in the order of the `.proto` files.
#[must_use]
pub fn rpcs() -> Vec<Rpc> {
    let files = prost_types::FileDescriptorSet::decode(crate::DESCRIPTORS).expect("the build wrote descriptors").file;
    let fields = |full_name: &str| -> Vec<String> {
        let all = files.iter().flat_map(|file| file.message_type.iter().map(move |message| (file.package(), message)));
        let mut found = all.filter(|(package, message)| full_name == format!(".{package}.{}", message.name()));
        found.next().map(|(_, message)| message.field.iter().map(|field| field.name().to_owned()).collect()).unwrap_or_default()
    };
    let mut rpcs = Vec::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                rpcs.push(Rpc { name, request: fields(method.input_type()) });
            }
        }
    }
    rpcs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rpc_is_known_with_the_fields_of_its_request() {
        let rpcs = rpcs();
        let get = rpcs.iter().find(|rpc| rpc.name == "opsmesh.ticketing.v1.Ticketing/GetTicket").unwrap();
        assert_eq!((get.method(), get.reads(), get.request.as_slice()), ("GetTicket", true, &["name".to_owned()][..]));
    }
}
