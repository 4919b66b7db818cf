use super::*;
use crate::SignatureError;

// Made with openssl 3.0: what it writes must be read, and what it signs must be believed.
const EC_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAES1BhHuteHNFva8YvNpzW3nnoAOGm
tpoD7kzm91xAOtGmZGaNNGNFjbCblRwwiX4k/MG2nqLCHtdEc5wB1epHqA==
-----END PUBLIC KEY-----
";
const EC_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBL4rmKVPRAtLAzqS
Lyl+aWXg8S/qI86mS81t9gZstaShRANCAARLUGEe614c0W9rxi82nNbeeegA4aa2
mgPuTOb3XEA60aZkZo00Y0WNsJuVHDCJfiT8wbaeosIe10RznAHV6keo
-----END PRIVATE KEY-----
";
const ED_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAhF0aMgcLG3B0AQZ8D6iia7uqoSgoDBw01yzkIfFYJy4=
-----END PUBLIC KEY-----
";
const ED_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINYaY/jc4z3z6eBlBwAyVCXSG5o/ZgtLsNVe1RhtaqEK
-----END PRIVATE KEY-----
";
const P384_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAETGDg2G/p0WeShXY246hZXQdYORumyaJF
vZncNFFLuxxZ5iVp9w8ZHzVWRCTLn49deN2Y7iYFHd5BqGVByoLi3X5LWB3Lb9yk
oXucfg+rb8xNY730y79wPLuiIhkhs0yJ
-----END PUBLIC KEY-----
";
const SEC1: &str = "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIL1rRtGZxbq30g/a/I1R9XVSpQWtZ6ZpK1wQUx/myZYvoAoGCCqGSM49
AwEHoUQDQgAEFVyoMVxcoENx2YWaR6m2C7BE5K17RrULJwwU0U0hB4DAEdasng1t
rltSX6znE5mMMfDjBuB93wCiJ4cBLSsYdg==
-----END EC PRIVATE KEY-----
";
const ENCRYPTED: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhtDi6nRb8v+gICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEKoIZnvQCsaBNDKS+j8sngcEQA22
Ne8R6hnX9YaCUkagLvln4/9ywk+HY9Le9XY4lpsi5bECVe1UyRUmVG9UEqxvAU+k
LUhkHlqKAQ0oKzcI5+k=
-----END ENCRYPTED PRIVATE KEY-----
";
/// How cosign's own files begin; the rest is a box that only cosign opens.
const COSIGN: &str = "\
-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCJ9fQ==
-----END ENCRYPTED SIGSTORE PRIVATE KEY-----
";

const MODULE: &[u8] = b"a module";
const BY_EC: &str = "MEUCIQC1D/WWWp4/0iNptSWtLjsS/FYgNblLogRZA5j3jwy5jgIgXddzCIzYLqtPoFKnsdEEqd/ZFapnW49eW4QRGyfAfeM=";
const BY_ED: &str = "P+Pv+iukH7nzPQ2Hw+mV5T9qnErXBc96tS6DTC2eEvMoZIacG+xgCwGzsEXFaxTxCt3BJBQscj0Q6Opq89GFBg==";

#[test]
fn what_openssl_signed_verifies_with_its_key_and_no_other() {
    let ec = PublicKey::from_pem(EC_PUBLIC).unwrap();
    let ed = PublicKey::from_pem(ED_PUBLIC).unwrap();
    let (by_ec, by_ed) = (Signature::parse(BY_EC).unwrap(), Signature::parse(BY_ED).unwrap());
    assert!(ec.verifies(MODULE, &by_ec) && ed.verifies(MODULE, &by_ed));
    assert!(!ec.verifies(MODULE, &by_ed) && !ed.verifies(MODULE, &by_ec));
    assert!(!ec.verifies(b"a modulf", &by_ec) && !ed.verifies(b"a modulf", &by_ed));
    assert!(!ec.verifies(MODULE, &Signature::new(Vec::new())));
}

#[test]
fn a_fingerprint_is_the_one_that_openssl_shows() {
    let fingerprint = |pem| PublicKey::from_pem(pem).unwrap().fingerprint().to_string();
    assert_eq!(
        fingerprint(EC_PUBLIC),
        "2db7e553f05d9d3322e83325d890603493bb893d0847bdf49f9f01338571561a"
    );
    assert_eq!(
        fingerprint(ED_PUBLIC),
        "ce551577357826edd3c5124be6f293062380b974b781d264236c82c66847ed85"
    );
}

#[test]
fn a_private_key_signs_for_its_public_one() {
    for (private, public) in [(EC_PRIVATE, EC_PUBLIC), (ED_PRIVATE, ED_PUBLIC)] {
        let (private, public) = (
            PrivateKey::from_pem(private).unwrap(),
            PublicKey::from_pem(public).unwrap(),
        );
        assert_eq!(private.public(), &public);
        assert!(public.verifies(MODULE, &private.sign(MODULE).unwrap()));
    }
}

#[test]
fn a_made_key_is_read_again_and_each_is_another() {
    for algorithm in [Algorithm::EcdsaP256, Algorithm::Ed25519] {
        let [one, two] = [(), ()].map(|()| PrivateKey::from_pem(&PrivateKey::generate(algorithm).unwrap()).unwrap());
        assert_ne!(one.public(), two.public());
        assert_eq!(one.public().algorithm(), algorithm);
        let public = PublicKey::from_pem(&one.public().to_pem().unwrap()).unwrap();
        assert_eq!(&public, one.public());
        let signature = one.sign(MODULE).unwrap();
        assert!(public.verifies(MODULE, &signature) && !two.public().verifies(MODULE, &signature));
    }
}

#[test]
fn a_public_key_is_written_as_openssl_writes_it() {
    for pem in [EC_PUBLIC, ED_PUBLIC] {
        assert_eq!(PublicKey::from_pem(pem).unwrap().to_pem().unwrap(), pem);
    }
}

#[test]
fn another_file_is_refused_with_what_to_do() {
    let public = |pem| PublicKey::from_pem(pem).unwrap_err();
    let private = |pem| PrivateKey::from_pem(pem).err().unwrap();
    assert_eq!(public(P384_PUBLIC), KeyError::Algorithm);
    assert_eq!(private(COSIGN), KeyError::Cosign);
    assert_eq!(private(ENCRYPTED), KeyError::Encrypted);
    let cases = [
        (public(EC_PRIVATE), ".pub file"),
        (public(""), "-----BEGIN"),
        (public(&EC_PUBLIC.replace("MFkw", "MFkx")), "-----BEGIN"),
        (private(EC_PUBLIC), "PKCS#8"),
        (private(SEC1), "openssl pkcs8 -topk8 -nocrypt"),
        (private(COSIGN), "cosign sign-blob"),
        (private(ENCRYPTED), "openssl pkcs8 -in"),
    ];
    for (error, fix) in cases {
        assert!(error.fix().contains(fix), "{error}: {}", error.fix());
    }
}

#[test]
fn a_compressed_point_is_refused_since_nothing_would_verify() {
    let compressed = "-----BEGIN PUBLIC KEY-----\nMDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgACS1BhHuteHNFva8YvNpzW3nnoAOGmtpoD7kzm91xAOtE=\n-----END PUBLIC KEY-----\n";
    assert_eq!(PublicKey::from_pem(compressed), Err(KeyError::Malformed));
}

#[test]
fn a_signature_may_end_its_line_and_is_no_bundle() {
    assert_eq!(Signature::parse(&format!("{BY_EC}\n")).unwrap().to_base64(), BY_EC);
    let (begin, end) = BY_EC.split_at(76);
    assert_eq!(
        Signature::parse(&format!("{begin}\n{end}\n")).unwrap().to_base64(),
        BY_EC
    );
    assert_eq!(Signature::parse("{\"mediaType\":\"x\"}"), Err(SignatureError::Bundle));
    assert_eq!(Signature::parse("-----"), Err(SignatureError::Base64));
}
