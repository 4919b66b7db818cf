use super::*;

const MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn of(outline: &Outline) -> Artifact {
    Artifact::of(MODULE, outline).unwrap()
}

#[test]
fn the_same_module_makes_the_same_manifest_which_names_it() {
    let artifact = of(&Outline::Module);
    assert_eq!(artifact.manifest, of(&Outline::Module).manifest);
    let manifest = Manifest::parse(&artifact.manifest).unwrap();
    assert_eq!(manifest.module().unwrap().digest, Digest::of(MODULE));
    assert_eq!(manifest.config.digest, Digest::of(&artifact.config));
    assert_eq!(manifest.config.media_type, "application/vnd.wasm.config.v0+json");
}

#[test]
fn the_configuration_tells_modules_from_components() {
    let config = |outline| serde_json::from_slice::<serde_json::Value>(&of(&outline).config).unwrap();
    let core = config(Outline::Module);
    assert_eq!((&core["os"], &core["architecture"]), (&json!("wasip1"), &json!("wasm")));
    assert_eq!(core["layerDigests"], json!([Digest::of(MODULE).oci()]));
    assert!(core.get("component").is_none());
    let component = config(Outline::Component {
        imports: vec!["a:b/types@0.1.0".into()],
        exports: vec!["decide".into()],
    });
    assert_eq!(component["os"], "wasip2");
    assert_eq!(
        component["component"],
        json!({ "imports": ["a:b/types@0.1.0"], "exports": ["decide"] })
    );
}

/// A manifest with these layers, as a registry would give it.
fn with_layers(layers: serde_json::Value) -> Result<Descriptor, String> {
    let config = json!({ "mediaType": CONFIG, "digest": Digest::of(b""), "size": 0 });
    let text = json!({ "schemaVersion": 2, "config": config, "layers": layers }).to_string();
    Manifest::parse(text.as_bytes())?.module().cloned()
}

#[test]
fn what_is_no_module_is_named_for_what_it_is() {
    let layer = |kind: &str, size: u64| json!({ "mediaType": kind, "digest": Digest::of(b""), "size": size });
    assert!(with_layers(json!([layer(WASM, 8)])).is_ok());
    let refused = |layers| with_layers(layers).unwrap_err();
    assert!(refused(json!([])).contains("0 layers"));
    assert!(refused(json!([layer(WASM, 8), layer(WASM, 8)])).contains("2 layers"));
    assert!(refused(json!([layer("application/gzip", 8)])).contains("application/gzip"));
    assert!(refused(json!([layer(WASM, MAX_MODULE as u64 + 1)])).contains("more than"));
    let md5 = json!([{ "mediaType": WASM, "digest": "md5:00", "size": 8 }]);
    assert!(refused(md5).contains("md5:00"));
    let index = br#"{"schemaVersion":2,"manifests":[]}"#;
    assert!(Manifest::parse(index).unwrap_err().contains("index"));
    assert!(Manifest::parse(b"<html>").unwrap_err().contains("cannot be read"));
}
