//! A virtual host of a test's own.
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::told;

/// A virtual host of the broker.
#[derive(Debug, Clone)]
pub struct Vhost {
    name: String,
}

impl Vhost {
    pub(crate) async fn make(name: &str) -> Self {
        let vhost = Self { name: name.to_owned() };
        vhost.ask(Method::PUT, &format!("vhosts/{name}"), Some(json!({}))).await.unwrap();
        let user = credentials().0;
        let all = json!({"configure": ".*", "write": ".*", "read": ".*"});
        vhost.ask(Method::PUT, &format!("permissions/{name}/{user}"), Some(all)).await.unwrap();
        vhost
    }

    pub(crate) async fn remove(&self) {
        // What cannot be removed is left to whoever takes the servers down.
        let _ = self.ask(Method::DELETE, &format!("vhosts/{}", self.name), None).await;
    }

    /// `amqp://…/vhost`.
    pub(crate) fn url(&self) -> String {
        let url = told("AMQP_URL");
        let (server, _) = url.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// How many messages a queue holds.
    pub async fn depth(&self, queue: &str) -> Result<u64, String> {
        let queue = self.ask(Method::GET, &format!("queues/{}/{queue}", self.name), None).await?;
        queue["messages"].as_u64().ok_or_else(|| format!("no count yet: {queue}"))
    }

    /// Takes up to `count` messages of a queue away, with their properties.
    pub async fn take(&self, queue: &str, count: u32) -> Vec<Value> {
        let body = json!({"count": count, "ackmode": "ack_requeue_false", "encoding": "auto"});
        let taken = self.ask(Method::POST, &format!("queues/{}/{queue}/get", self.name), Some(body)).await.unwrap();
        taken.as_array().unwrap().clone()
    }

    /// Puts a message into an exchange.
    pub async fn publish(&self, exchange: &str, routing_key: &str, properties: Value, payload: &str) {
        let body =
            json!({"properties": properties, "routing_key": routing_key, "payload": payload, "payload_encoding": "string"});
        let answer = self.ask(Method::POST, &format!("exchanges/{}/{exchange}/publish", self.name), Some(body)).await.unwrap();
        assert_eq!(answer["routed"], true, "{answer}");
    }

    /// Ends all connections to this virtual host, as a broker that restarts does.
    pub async fn cut(&self) -> usize {
        let connections = self.ask(Method::GET, &format!("vhosts/{}/connections", self.name), None).await.unwrap();
        let names: Vec<&str> =
            connections.as_array().unwrap().iter().filter_map(|connection| connection["name"].as_str()).collect();
        for name in &names {
            let path = format!("connections/{}", name.replace(' ', "%20").replace('>', "%3E"));
            let _ = self.ask(Method::DELETE, &path, None).await;
        }
        names.len()
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, String> {
        let (user, password) = credentials();
        let url = told("AMQP_ADMIN_URL");
        let (scheme, rest) = url.split_once("://").unwrap();
        let (_, place) = rest.rsplit_once('@').unwrap();
        let mut request =
            Client::new().request(method, format!("{scheme}://{place}/api/{path}")).basic_auth(user, Some(password));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("{path}: {status} {text}"));
        }
        if status == StatusCode::NO_CONTENT || text.is_empty() {
            Ok(Value::Null)
        } else {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        }
    }
}

fn credentials() -> (String, String) {
    let url = told("AMQP_ADMIN_URL");
    let (_, rest) = url.split_once("://").unwrap();
    let (credentials, _) = rest.rsplit_once('@').unwrap();
    let (user, password) = credentials.split_once(':').unwrap();
    (user.to_owned(), password.to_owned())
}
