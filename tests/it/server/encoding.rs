//! Packed bodies: gzip and zstd, both ways.

use super::{Served, insert, insert_players};
use dbgen_tests::http::Client;
use serde_json::{Value as Json, json};
use std::io::Read;

/// What a body unpacks to.
#[track_caller]
fn unpacked(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match encoding {
        Some("gzip") => flate2::read::GzDecoder::new(body).read_to_end(&mut plain).map(drop),
        Some("zstd") => zstd::Decoder::new(body).and_then(|mut reader| reader.read_to_end(&mut plain)).map(drop),
        other => panic!("packed as {other:?}"),
    }
    .expect("it unpacks");
    plain
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(plain, flate2::Compression::best()).read_to_end(&mut packed).expect("it packs");
    packed
}

#[test]
fn rc_5_long_answers_are_packed_for_who_takes_them() {
    let served = Served::arena();
    let mut client = served.client();
    insert_players(&mut client, 50);
    let path = "/table/player/records";
    let plain = client.get(path).is(200);
    assert_eq!(plain.header("content-encoding"), None);
    assert!(plain.header("vary").is_some_and(|vary| vary.contains("accept-encoding")), "{:?}", plain.headers);
    for encoding in ["gzip", "zstd"] {
        let packed = client.send("GET", path, &[("accept-encoding", encoding)], None).is(200);
        assert!(packed.body.len() < plain.body.len() / 2, "{} of {}", packed.body.len(), plain.body.len());
        assert_eq!(unpacked(packed.header("content-encoding"), &packed.body), plain.body);
        // An export of unknown length too.
        let lines = [("accept", "application/x-ndjson"), ("accept-encoding", encoding)];
        let packed = client.send("GET", path, &lines, None).is(200);
        let lines = unpacked(packed.header("content-encoding"), &packed.body);
        assert_eq!(lines.iter().filter(|byte| **byte == b'\n').count(), 50);
    }
    let short = client.send("GET", "/table/player/records?limit=1", &[("accept-encoding", "gzip, zstd")], None);
    assert_eq!(short.is(200).header("content-encoding"), None, "less than a kilobyte");
    let refused = client.send("GET", path, &[("accept-encoding", "br, gzip;q=0")], None).is(200);
    assert_eq!(refused.body, plain.body);
}

/// Other bytes have another tag, and either is good to be sent back.
#[test]
fn rc_2_the_tag_of_a_packed_answer_names_the_same_state() {
    let served = Served::arena();
    let mut client = served.client();
    let record = insert(&mut client, "guild", &json!({ "name": "Watch", "motto": "we watch ".repeat(400) }));
    let path = format!("/table/guild/record/{}", record["_id"]);
    let plain = client.get(&path).header("etag").expect("a tag").to_owned();
    let packed = client.send("GET", &path, &[("accept-encoding", "gzip")], None).is(200);
    let packed = packed.header("etag").expect("a tag").to_owned();
    assert_ne!(plain, packed);
    for tag in [&plain, &packed] {
        client.send("GET", &path, &[("if-none-match", tag)], None).is(304);
    }
    client.send_json("PATCH", &path, &[("if-match", &packed)], &json!({ "motto": null })).is(200);
    client.send_json("PATCH", &path, &[("if-match", &packed)], &json!({ "motto": null })).is(412);
}

#[test]
fn rc_1_bodies_may_come_packed() {
    let served = Served::arena();
    let mut client = served.client();
    let post = |client: &mut Client, encoding: &str, body: &[u8]| {
        let headers = [("content-type", "application/json"), ("content-encoding", encoding)];
        client.send("POST", "/table/player/record", &headers, Some(body))
    };
    post(&mut client, "gzip", &gzip(br#"{"name":"Ayla"}"#)).is(201);
    post(&mut client, "zstd", &zstd::encode_all(&br#"{"name":"Brom"}"#[..], 3).expect("it packs")).is(201);
    let before = served.dump();
    // Cut off, no gzip at all, and one that unpacks into more than a body may be.
    let whole = gzip(br#"{"name":"Cora"}"#);
    for wrong in [&whole[..whole.len() - 9], br#"{"name":"Cora"}"#, b""] {
        let answer = post(&mut client, "gzip", wrong);
        let told: Json = answer.json();
        assert_eq!(answer.status, 400, "{told}");
    }
    // Something behind the end is nobody's.
    post(&mut client, "gzip", &[&whole[..], b"junk"].concat()).is(400);
    let bomb = gzip(&vec![b' '; 16 << 20]);
    assert!(bomb.len() < 100_000, "{} bytes", bomb.len());
    post(&mut client, "gzip", &bomb).is_problem(413, "body_too_large");
    post(&mut client, "br", &whole).is_problem(415, "unsupported_media_type");
    assert_eq!(served.dump(), before);
}

/// `cat a.gz b.gz` is a gzip file too. Of such a body only the first part was read once, and the rest answered as done.
#[test]
fn rc_1_a_body_packed_in_parts_is_read_to_its_end() {
    let served = Served::arena();
    let mut client = served.client();
    let lines = ["{\"name\":\"Ayla\"}\n", "{\"name\":\"Brom\"}\n", "{\"name\":\"Cora\"}\n"].map(str::as_bytes);
    let zstd = |plain: &[u8]| zstd::encode_all(plain, 3).expect("it packs");
    for (encoding, parts) in [("gzip", lines.map(gzip)), ("GZIP", lines.map(gzip)), ("zstd", lines.map(zstd))] {
        let headers = [("content-type", "application/x-ndjson"), ("content-encoding", encoding)];
        let body = parts.concat();
        let answer = client.send("POST", "/table/player/records", &headers, Some(&body)).is(200).json();
        assert_eq!(answer["inserted"], 3, "{encoding}");
        client.send("DELETE", "/table/player/records?all=true", &[], None).is(200);
    }
}
