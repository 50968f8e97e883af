/** Flags of the commands that verify. @module */

/** With which public key, instead of an identity. */
export const publicKeyFlags = {
  key: {
    kind: 'path',
    help: 'public key: a file, a URL, env://VARIABLE, k8s://NAMESPACE/SECRET, gitlab://PROJECT, or a key at awskms://, gcpkms://, azurekms:// or hashivault://',
    placeholder: 'KEY',
    group: 'identity',
  },
  sk: { kind: 'boolean', help: 'use a hardware security key', hidden: true },
  slot: { kind: 'string', help: 'slot of the hardware security key', hidden: true },
} as const

/** Who must have signed. Several identities are alternatives; they pair up with the issuers in order. */
export const identityFlags = {
  'certificate-identity': {
    kind: 'repeated',
    aliases: ['cert-identity', 'cert-email', 'certificate-email'],
    placeholder: 'NAME',
    help: 'who must have signed: e-mail address, URI, user name, exactly (repeat for alternatives)',
    group: 'identity',
  },
  'certificate-identity-regexp': {
    kind: 'repeated',
    placeholder: 'REGEXP',
    help: 'the same as a pattern that the whole name must match',
    group: 'identity',
  },
  'certificate-oidc-issuer': {
    kind: 'repeated',
    aliases: ['cert-oidc-issuer'],
    placeholder: 'URL',
    help: 'who must have vouched for the signer (once for all, or once for each identity)',
    group: 'identity',
  },
  'certificate-oidc-issuer-regexp': {
    kind: 'repeated',
    placeholder: 'REGEXP',
    help: 'the same as a pattern that the whole issuer must match',
    group: 'identity',
  },
  'certificate-extension': {
    kind: 'repeated',
    placeholder: 'NAME=VALUE',
    help: 'require a claim of the certificate, such as source-repository-uri=https://…',
    group: 'identity',
  },
  'certificate-github-workflow-trigger': {
    kind: 'string',
    help: 'required event that triggered the GitHub workflow',
    group: 'identity',
  },
  'certificate-github-workflow-sha': {
    kind: 'string',
    help: 'required commit of the GitHub workflow run',
    group: 'identity',
  },
  'certificate-github-workflow-name': {
    kind: 'string',
    help: 'required name of the GitHub workflow',
    group: 'identity',
  },
  'certificate-github-workflow-repository': {
    kind: 'string',
    help: 'required repository of the GitHub workflow',
    group: 'identity',
  },
  'certificate-github-workflow-ref': {
    kind: 'string',
    help: 'required git ref of the GitHub workflow run',
    group: 'identity',
  },
} as const

/** What is trusted and how much is asked for. */
export const trustFlags = {
  'trusted-root': { kind: 'path', help: 'trust this file instead of what the TUF repository delivers', group: 'trust' },
  'use-signed-timestamps': { kind: 'boolean', help: 'require an RFC 3161 timestamp', group: 'trust' },
  'insecure-ignore-tlog': { kind: 'boolean', help: 'do not ask for a transparency log entry', group: 'trust' },
  'insecure-ignore-sct': { kind: 'boolean', help: 'do not ask that the certificate was published', group: 'trust' },
  'allow-certificate-chain': {
    kind: 'boolean',
    help: 'accept a certificate chain in a bundle of version 0.3, which its specification rules out',
    group: 'trust',
  },
  'max-workers': { kind: 'number', default: 10, help: 'taken for the sake of scripts, without effect', group: 'trust' },
  offline: {
    kind: 'boolean',
    help: 'contact no service but the registry',
    deprecated:
      'To verify in an airgapped environment, provide a --bundle with the signature and verification material, and a --trusted-root file with the service keys and certificates',
  },
  'timestamp-certificate-chain': {
    kind: 'path',
    help: 'PEM chain of the timestamp authority',
    deprecated: 'please use --trusted-root to provide the timestamp authority certificate chain',
  },
  'private-infrastructure': {
    kind: 'boolean',
    help: 'do not ask for a transparency log entry',
    deprecated: 'please use --insecure-ignore-tlog instead',
  },
  'experimental-oci11': {
    kind: 'boolean',
    help: 'look for the old format among the referrers too',
    deprecated: 'OCI referrers will be the default behavior in future versions',
  },
  'new-bundle-format': {
    kind: 'boolean',
    default: true,
    help: 'look for Sigstore bundles; the old format is looked for in any case',
    deprecated: 'this will be the only supported format in future versions',
  },
  'rekor-url': {
    kind: 'url',
    help: 'the log to ask for the entry of a signature that came without one',
    deprecated: 'please use --bundle, which includes the Rekor inclusion proof',
  },
  'signature-digest-algorithm': {
    kind: 'string',
    choices: ['sha224', 'sha256', 'sha384', 'sha512'],
    help: 'digest that the key signs with; by default it follows from the key',
    deprecated: 'please use --bundle, which already includes the digest algorithm',
  },
  certificate: {
    kind: 'path',
    aliases: ['cert'],
    help: 'certificate of the signer, for signatures that come without one',
    deprecated: 'please use --bundle with --trusted-root to provide the public certificate',
  },
  'certificate-chain': {
    kind: 'path',
    aliases: ['cert-chain'],
    help: 'PEM chain above the certificate, the root last',
    deprecated: 'please use --trusted-root to provide the certificate chain',
  },
  'ca-roots': {
    kind: 'path',
    help: 'PEM file of root authorities',
    deprecated: 'please use --trusted-root to provide CA certificates',
  },
  'ca-intermediates': {
    kind: 'path',
    help: 'PEM file of intermediate authorities',
    deprecated: 'please use --trusted-root to provide CA certificates',
  },
  sct: {
    kind: 'path',
    help: 'a signed certificate timestamp in a file of its own',
    deprecated: 'a Signed Certificate Timestamp is now provided via a Sigstore bundle',
  },
} as const

/** What a signature must say about an image, and where it is. */
export const imageSignatureFlags = {
  annotations: { kind: 'list', short: 'a', placeholder: 'K=V', help: 'require this annotation' },
  'check-claims': { kind: 'boolean', default: true, help: 'whether the signed payload must be about the image' },
  'local-image': { kind: 'boolean', help: 'the image is a folder that save wrote' },
  attachment: {
    kind: 'string',
    choices: ['sbom'],
    help: 'verify what is attached to the image instead',
    deprecated: 'please use OCI referrers for attachments and verify with `--experimental-oci11`',
  },
  signature: {
    kind: 'path',
    help: 'a detached signature',
    deprecated: 'signatures are automatically fetched from the OCI registry during image verification',
  },
  payload: {
    kind: 'path',
    help: 'the payload of a detached signature',
    deprecated: 'payload will always be verified from the bundle in future versions',
  },
} as const

/** Telling what was checked. */
export const explainFlag = {
  explain: { kind: 'boolean', help: 'print every check and its outcome to standard error' },
} as const

/** Why files go by other names in the old format. */
export const outputFlag = {
  output: {
    kind: 'string',
    short: 'o',
    choices: ['json', 'text'],
    default: 'json',
    help: 'what to print: json or text',
  },
} as const
