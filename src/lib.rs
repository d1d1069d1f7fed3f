pub mod edit; pub mod yaml;
