use super::*;

const MODULE: &[u8] = b"a manifest";

#[test]
fn a_payload_is_about_its_manifest_alone() {
    let digest = Digest::of(MODULE);
    let ours = payload("registry.example/orders", digest);
    assert!(is_about(&ours, digest));
    assert!(!is_about(&ours, Digest::of(b"another")));
    let of_another_kind = String::from_utf8(ours.to_vec())
        .unwrap()
        .replace("container image", "attestation");
    assert!(!is_about(of_another_kind.as_bytes(), digest));
    assert!(!is_about(b"{}", digest));
}

#[test]
fn the_payload_of_cosign_is_understood() {
    let digest = Digest::of(MODULE);
    let text = format!(
        "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"r.example/orders\"}},\"image\":{{\"docker-manifest-digest\":\
         \"{}\"}},\"type\":\"cosign container image signature\"}},\"optional\":null}}",
        digest.oci()
    );
    assert!(is_about(text.as_bytes(), digest));
    assert_eq!(payload("r.example/orders", digest), text.as_bytes());
}

#[test]
fn another_signature_stands_beside_the_earlier_ones() {
    let payload = payload("r/a", Digest::of(MODULE));
    let signature = |bytes: &[u8]| Signature::new(bytes.to_owned());
    let (first, _) = with_another(Vec::new(), &payload, &signature(b"1")).unwrap();
    let first = Manifest::parse(&first).unwrap();
    let (both, config) = with_another(first.layers, &payload, &signature(b"2")).unwrap();
    let both = Manifest::parse(&both).unwrap();
    let found: Vec<Signature> = signatures(&both).map(|(_, signature)| signature).collect();
    assert_eq!(found, [signature(b"1"), signature(b"2")]);
    assert_eq!(both.config.digest, Digest::of(&config));
}

#[test]
fn only_so_many_small_payloads_are_looked_at() {
    let mut manifest = Vec::new();
    for _ in 0..MAX_SIGNATURES + 5 {
        let (next, _) = with_another(manifest, b"{}", &Signature::new(vec![1])).unwrap();
        manifest = Manifest::parse(&next).unwrap().layers;
    }
    let mut manifest = Manifest::new(Descriptor::of("x", b""), manifest);
    assert_eq!(signatures(&manifest).count(), MAX_SIGNATURES);
    for layer in &mut manifest.layers {
        layer.size = MAX_PAYLOAD + 1;
    }
    assert_eq!(signatures(&manifest).count(), 0);
}
