/** `countersign env`. @module */
import { type Command, defineCommand } from '../kit/command.js'

interface VariableRow {
  readonly name: string
  readonly description: string
  readonly expects: string
  readonly sensitive?: true
}

/** Variables that are read besides those that stand for flags. */
const VARIABLES: readonly VariableRow[] = [
  {
    name: 'COSIGN_DOCKER_MEDIA_TYPES',
    description: 'write old-format signatures with Docker’s media types',
    expects: '1 to do so',
  },
  { name: 'COSIGN_EXPERIMENTAL', description: 'allow --registry-referrers-mode=oci-1-1', expects: '1 to allow it' },
  {
    name: 'COSIGN_MAX_ATTACHMENT_SIZE',
    description: 'largest attachment that is read',
    expects: 'a size such as 128MiB',
  },
  {
    name: 'COSIGN_PASSWORD',
    description: 'password of private keys',
    expects: 'a password; an empty one is one',
    sensitive: true,
  },
  {
    name: 'COSIGN_REPOSITORY',
    description: 'keep signatures and attestations in this repository',
    expects: 'a repository',
  },
  {
    name: 'SIGSTORE_CT_LOG_PUBLIC_KEY_FILE',
    description: 'trust this certificate transparency log instead',
    expects: 'a PEM file',
  },
  { name: 'SIGSTORE_ID_TOKEN', description: 'identity token to sign with', expects: 'a JWT', sensitive: true },
  { name: 'SIGSTORE_REKOR_PUBLIC_KEY', description: 'trust this transparency log instead', expects: 'a PEM file' },
  { name: 'SIGSTORE_ROOT_FILE', description: 'trust these certificate authorities instead', expects: 'a PEM file' },
  {
    name: 'SIGSTORE_TSA_CERTIFICATE_FILE',
    description: 'trust this timestamp authority instead',
    expects: 'a PEM file',
  },
  { name: 'TUF_MIRROR', description: 'TUF repository to use', expects: 'a URL' },
  { name: 'TUF_ROOT', description: 'where TUF metadata is kept', expects: 'a folder; ~/.sigstore/root if not set' },
  { name: 'TUF_ROOT_JSON', description: 'the TUF root to trust first', expects: 'the JSON text of a root' },
  { name: 'AWS_ENDPOINT_URL_KMS', description: 'the key management service to ask at AWS', expects: 'a URL' },
  {
    name: 'AWS_PROFILE',
    description: 'whose login at AWS to take of ~/.aws/config and ~/.aws/credentials',
    expects: 'a profile; default if not set',
  },
  { name: 'AWS_REGION', description: 'where keys at AWS are, unless their ARN says it', expects: 'a region' },
  {
    name: 'AZURE_TOKEN_CREDENTIALS',
    description: 'which login at Azure to take',
    expects: 'prod, dev or the name of a credential; each in turn if not set',
  },
  {
    name: 'GOOGLE_APPLICATION_CREDENTIALS',
    description: 'login at Google',
    expects: 'a JSON file; that of gcloud if not set',
  },
  { name: 'TRANSIT_SECRET_ENGINE_PATH', description: 'where Vault keeps keys', expects: 'a path; transit if not set' },
  { name: 'VAULT_ADDR', description: 'where Vault or OpenBao is', expects: 'a URL' },
  { name: 'VAULT_CACERT', description: 'authority of Vault’s certificate', expects: 'a PEM file' },
  { name: 'VAULT_NAMESPACE', description: 'namespace in Vault', expects: 'a name' },
  {
    name: 'VAULT_TOKEN',
    description: 'login for Vault',
    expects: 'a token; ~/.vault-token if not set',
    sensitive: true,
  },
  {
    name: 'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
    description: 'where GitHub Actions gives tokens',
    expects: 'set by GitHub',
    sensitive: true,
  },
  { name: 'ACTIONS_ID_TOKEN_REQUEST_URL', description: 'where GitHub Actions gives tokens', expects: 'set by GitHub' },
  {
    name: 'BUILDKITE_AGENT_ACCESS_TOKEN',
    description: 'for tokens of Buildkite',
    expects: 'set by Buildkite',
    sensitive: true,
  },
  { name: 'GITHUB_HOST', description: 'where secrets of GitHub are kept', expects: 'a URL; github.com if not set' },
  { name: 'GITHUB_TOKEN', description: 'login to write secrets of GitHub', expects: 'a token', sensitive: true },
  { name: 'GITLAB_HOST', description: 'where variables of GitLab are kept', expects: 'a URL; gitlab.com if not set' },
  { name: 'GITLAB_TOKEN', description: 'login for variables of GitLab', expects: 'a token', sensitive: true },
  { name: 'SPIFFE_ENDPOINT_SOCKET', description: 'where SPIFFE gives tokens', expects: 'a socket' },
  { name: 'DOCKER_CONFIG', description: 'folder of Docker’s configuration, with registry logins', expects: 'a folder' },
  {
    name: 'HTTPS_PROXY',
    description: 'proxy for https addresses (also HTTP_PROXY, NO_PROXY)',
    expects: 'a URL',
    sensitive: true,
  },
  {
    name: 'SSL_CERT_FILE',
    description: 'authorities to trust on TLS instead of the built-in ones (also SSL_CERT_DIR)',
    expects: 'a PEM file',
  },
  {
    name: 'KUBECONFIG',
    description: 'kubeconfig of the cluster that is meant',
    expects: 'a file, or several with colons',
  },
  { name: 'XDG_CACHE_HOME', description: 'where inventories are kept', expects: 'a folder; ~/.cache if not set' },
  { name: 'NO_COLOR', description: 'no bold text on terminals', expects: 'anything' },
]

export const command: Command = defineCommand({
  name: 'env',
  summary: 'Print the variables that are read',
  description:
    'Besides these, every flag can be given as COUNTERSIGN_<FLAG> or COSIGN_<FLAG>: COSIGN_YES=true is --yes.',
  flags: {
    'show-descriptions': { kind: 'boolean', default: true, help: 'say what each is for' },
    'show-sensitive-values': { kind: 'boolean', help: 'also print passwords and tokens' },
  },
  withoutCosignEnvironment: true,
  examples: [{ does: 'print names and values only', run: 'env --show-descriptions=false' }],

  async run({ flags, host }) {
    for (const { name, description, expects, sensitive } of VARIABLES) {
      if (flags['show-descriptions']) host.terminal.write(`# ${name} ${description}\n# Expects: ${expects}\n`)
      const value = host.environment[name] ?? ''
      const hidden = sensitive === true && !flags['show-sensitive-values'] && value !== ''
      host.terminal.write(`${name}="${hidden ? '******' : value}"\n`)
    }
    return undefined
  },
})
