//! `dbgen serve` as its users meet it: started as a process, spoken to over HTTP, ended by a signal.

use std::process::Command;

use serde_json::json;

use crate::served::Served;

fn serve(arguments: &[&str]) -> Served {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments).current_dir(dbgen_tests::root());
    Served::start(command)
}

#[test]
fn a_table_made_over_http_is_a_schema_file_that_compiles() {
    let served = serve(&[]);
    let mut client = served.client();
    let made = client.post("/table", &json!({"name": "pet", "fields": [{"name": "name", "type": "str<16>"}]}));
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(client.post("/table/pet/record", &json!({"name": "Rex"})).status, 201);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("pets.json");
    std::fs::write(&file, client.get("/schema").body).expect("the file is written");
    let generated = Command::new(env!("CARGO_BIN_EXE_dbgen")).arg("generate").arg(&file).output().expect("it runs");
    assert!(generated.status.success());
    assert!(String::from_utf8_lossy(&generated.stdout).contains("pub struct Pet {"));
}

#[test]
fn a_schema_is_served_and_its_rules_hold() {
    let served = serve(&["--schema", "schemas/arena.json"]);
    let mut client = served.client();
    assert_eq!(client.post("/table/guild/record", &json!({"name": "Night Watch"})).status, 201);
    assert_eq!(client.post("/table/guild/record", &json!({"name": "Night Watch"})).status, 409);
    assert_eq!(client.post("/table/player/record", &json!({"name": "Bo"})).status, 422);
}

#[test]
fn a_token_is_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    // The second as its SHA-256.
    let hash = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    std::fs::write(&file, format!("  open-sesame\n# readers\nreader sha256:{hash}\n")).expect("the file is written");
    let served = serve(&["--token-file", file.to_str().expect("an UTF-8 path")]);
    let mut client = served.client();
    assert_eq!(client.get("/table").status, 401);
    client.headers.push(("authorization".to_owned(), "Bearer open-sesame".to_owned()));
    assert_eq!(client.get("/table").status, 200);
    client.headers = vec![("authorization".to_owned(), "Bearer a".to_owned())];
    assert_eq!(client.get("/table").status, 200);
    assert_eq!(client.post("/table", &json!({"name": "t", "fields": []})).status, 403);
    client.headers = vec![("authorization".to_owned(), format!("Bearer {hash}"))];
    assert_eq!(client.get("/table").status, 401, "the hash is no token");
}

#[test]
fn a_token_file_that_is_not_understood_starts_no_server() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("token");
    for (text, told) in [
        ("", "no token in it"),
        ("# nobody\n", "no token in it"),
        ("a\nraeder b\n", "line 2: `raeder` is no role"),
        ("raeder:t b\n", "line 1: `raeder:t` is no role"),
        ("writer a\nreader \n", "line 2: the role `reader` has no token"),
        ("writer:t\n", "line 1: the role `writer:t` has no token"),
        ("writer sha256:12\n", "line 1: behind `sha256:` stand 64"),
    ] {
        std::fs::write(&file, text).expect("the file is written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
        let output = command.args(["serve", "--listen", "127.0.0.1:0", "--token-file"]).arg(&file).output();
        let output = output.expect("it runs");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{text}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(told), "{error}");
    }
}

/// A data folder that nobody meant to make would be in the way of the next start.
#[test]
fn a_refused_start_leaves_no_folder_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let intervals = ["nan", "0.5", "-1", "often"].map(|interval| ["--snapshot-every", interval]);
    for wrong in
        [["--tick-rate", "5"], ["--tick-rate", "nan"], ["--token-file", "nowhere"]].into_iter().chain(intervals)
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data")).args(wrong);
        let output = command.output().expect("it runs");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{wrong:?}: {output:?}");
        assert!(!folder.path().join("data").exists(), "{wrong:?}");
    }
}

/// Figures go to whoever reads standard error. Nobody does any more: the world goes on, and ends cleanly.
#[cfg(unix)]
#[test]
fn figures_that_nobody_reads_end_no_server() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dbgen"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--figures"]).stderr(std::process::Stdio::piped());
    let mut served = Served::start(command);
    drop(served.process.stderr.take());
    let told = |served: &Served| served.client().get("/stats").json()["loop"]["samples"].as_array().map_or(0, Vec::len);
    // Figures are told once a second.
    while told(&served) < 3 {
        std::thread::yield_now();
    }
    end(&mut served, "-TERM");
}

/// Sends a signal, upon which it ends without complaint.
#[cfg(unix)]
#[track_caller]
fn end(served: &mut Served, signal: &str) {
    let sent = Command::new("kill").args([signal, &served.process.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
    assert!(served.process.wait().expect("it ends").success(), "{signal}");
}

#[cfg(unix)]
#[test]
fn sigterm_and_ctrl_c_end_it_cleanly() {
    use std::io::Read;
    for signal in ["-TERM", "-INT"] {
        let mut served = serve(&[]);
        assert_eq!(served.client().get("/healthz").status, 200);
        end(&mut served, signal);
        let mut rest = String::new();
        served.output.read_to_string(&mut rest).expect("text");
        assert_eq!(rest, "");
    }
}
