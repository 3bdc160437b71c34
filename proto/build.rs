//! Generates the wire from every `.proto` under `opsmesh/`: messages and services (prost, tonic), their JSON form (pbjson), and the descriptors that reflection answers with.
use std::{env, fs, io, path::Path};

use prost::Message;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("opsmesh"), &mut files)?;
    files.sort();
    println!("cargo:rerun-if-changed=opsmesh");

    // protox is a compiler in Rust: nobody installs protoc.
    let descriptors =
        protox::Compiler::new([root])?.include_source_info(true).include_imports(true).open_files(&files)?.file_descriptor_set();
    let encoded = descriptors.encode_to_vec();
    #[expect(clippy::disallowed_methods, reason = "cargo tells a build script its folder in no other way")]
    let out = Path::new(&env::var("OUT_DIR")?).join("descriptors.bin");
    fs::write(out, &encoded)?;

    let mut prost = tonic_prost_build::Config::new();
    prost.enable_type_names();
    prost.extern_path(".google.protobuf", "::pbjson_types");
    prost.compile_well_known_types();
    prost.btree_map(["."]);
    tonic_prost_build::configure().codec_path("crate::codec::Codec").compile_fds_with_config(descriptors, prost)?;
    pbjson_build::Builder::new().register_descriptors(&encoded)?.btree_map(["."]).build(&[".opsmesh"])?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
