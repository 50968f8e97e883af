module countersign.example/oracles/packages

go 1.26.3

require (
	github.com/google/osv-scalibr v0.5.3
	github.com/package-url/packageurl-go v0.1.7
)
