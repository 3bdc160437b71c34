//! A web server that a story may stop and start: nginx, on the address that pods reach.
use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tests::{eventually, told};

/// nginx, running or not.
pub(crate) struct Web {
    folder: PathBuf,
    /// Where it listens when it runs.
    pub(crate) port: u16,
    process: Option<Child>,
}

impl Web {
    /// Prepares one, on a port that is free now.
    pub(crate) fn prepare() -> Self {
        let listener = std::net::TcpListener::bind((told("OPSMESH_BRIDGE"), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let folder = std::env::temp_dir().join(format!("web-{port}"));
        fs::create_dir_all(&folder).unwrap();
        let (bridge, folder_name) = (told("OPSMESH_BRIDGE"), folder.display().to_string());
        let configuration = format!(
            "daemon off; master_process off; pid {folder_name}/pid; error_log {folder_name}/error.log;
             events {{}}
             http {{
                 access_log off; client_body_temp_path {folder_name}/a; proxy_temp_path {folder_name}/b;
                 fastcgi_temp_path {folder_name}/c; uwsgi_temp_path {folder_name}/d; scgi_temp_path {folder_name}/e;
                 server {{ listen {bridge}:{port}; location / {{ return 200 'well\\n'; }} }}
             }}"
        );
        fs::write(folder.join("nginx.conf"), configuration).unwrap();
        Self { folder, port, process: None }
    }

    /// Starts it and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let mut command = Command::new("nginx");
        command.arg("-c").arg(self.folder.join("nginx.conf")).arg("-p").arg(&self.folder);
        self.process = Some(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let address = format!("{}:{}", told("OPSMESH_BRIDGE"), self.port);
        eventually("nginx to answer", || async { tokio::net::TcpStream::connect(&address).await.map(drop) }).await;
    }

    /// Stops it and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
