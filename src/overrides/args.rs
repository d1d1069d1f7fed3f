//! What `overrides` takes on the command line.

use std::path::PathBuf;

use crate::options::SecretName;
use crate::registry::Registry;

/// What stands below its help.
pub(crate) const HELP: &str = "\
The login: --username, and the password from --password-file or from the environment variable
OSH_REGISTRY_AUTH_PASSWORD. Without it the file holds CHANGE-ME in its place.

Examples:
  osh-registry-auth overrides --registry registry.example.com:5000 \\
    --username puller --password-file secret.txt -o ~/login.yaml
  helm upgrade --install nova ./nova -f ~/login.yaml     the same file for every chart

  osh-registry-auth overrides --registry registry.example.com/mirror --images \\
    --username puller --password-file secret.txt -o ~/overrides/
  helm upgrade --install nova ./nova \\
    $(helm osh get-values-overrides -p ~/overrides -c nova oci_registry)

  osh-registry-auth overrides --registry registry.example.com/mirror --images --list |
    while read -r source target; do
      skopeo copy --all docker://$source docker://$target
    done

  osh-registry-auth overrides --existing-secret regcred  name a Secret that is there already";

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(crate) struct Args {
    /// The registry as the names of images begin, such as registry.example.com:5000/team
    #[arg(
        long,
        value_name = "HOST[:PORT][/PATH]",
        required_unless_present = "existing_secret",
        help_heading = "Registry"
    )]
    pub(crate) registry: Option<Registry>,

    /// Add images.tags, with all images in the registry: docker.io/a/b:c as HOST/PATH/a/b:c
    #[arg(long, requires = "registry", help_heading = "Registry")]
    pub(crate) images: bool,

    /// Keep the hosts that images come from in their names: HOST/PATH/docker.io/a/b:c
    #[arg(long, requires = "images", help_heading = "Registry")]
    pub(crate) keep_host: bool,

    /// Take the images of these features from values_overrides, as with `helm osh get-values-overrides`
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "images", help_heading = "Registry")]
    pub(crate) features: Vec<String>,

    /// Print which image to copy where, a line `SOURCE TARGET` each
    #[arg(long, requires = "images", help_heading = "Registry")]
    pub(crate) list: bool,

    /// Who pulls the images
    #[arg(long, value_name = "NAME", conflicts_with = "existing_secret", help_heading = "Login")]
    pub(crate) username: Option<String>,

    /// The file with the password, or - for standard input [default: $OSH_REGISTRY_AUTH_PASSWORD]
    #[arg(long, value_name = "FILE", requires = "username", help_heading = "Login")]
    pub(crate) password_file: Option<PathBuf>,

    /// Have the charts make no Secret, and name this one; {chart} stands for the chart's name
    #[arg(long, value_name = "NAME", help_heading = "Login")]
    pub(crate) existing_secret: Option<SecretName>,

    /// Write a file instead of standard output; DIR/ gets a file for each chart, DIR/CHART/oci_registry.yaml
    #[arg(short, long, value_name = "FILE|DIR/", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Write a password into a git work tree
    #[arg(long, help_heading = "Output")]
    pub(crate) allow_in_git: bool,
}
