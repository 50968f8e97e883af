/** What `up` tells when it is ready: the lines to copy, for people and for programs. @module */
import { join } from 'node:path'
import type { RunningSigstore } from '#services/up/start'
import { TUF_PATH } from '#services/up/tuf'

/** The addresses and files that programs need, as one JSON value. */
export interface RunningDocument {
  readonly url: string
  readonly issuer: string
  readonly directory: string
  readonly tuf: { readonly mirror: string; readonly root: string }
  readonly registry: string
  /** Points cosign 2 and tools that know no signing configuration at the instance. */
  readonly environment: Readonly<Record<string, string>>
  readonly initialize: readonly string[]
}

export function runningDocument({ url, directory, sigstore }: RunningSigstore): RunningDocument {
  const { issuer } = sigstore
  const mirror = `${url}${TUF_PATH}`
  const root = join(directory, 'tuf', 'root.json')
  return {
    url,
    issuer,
    directory,
    tuf: { mirror, root },
    registry: new URL(url).host,
    environment: {
      COSIGN_FULCIO_URL: url,
      COSIGN_REKOR_URL: url,
      COSIGN_OIDC_ISSUER: issuer,
      COSIGN_TIMESTAMP_SERVER_URL: `${url}/api/v1/timestamp`,
    },
    initialize: ['initialize', '--mirror', mirror, '--root', root],
  }
}

/** What clients call themselves if they are not told otherwise. */
const DEFAULT_CLIENT_ID = 'sigstore'

/** The same for people. */
export function describeRunning(
  running: RunningSigstore,
  { open, millis, clientId }: { readonly open: boolean; readonly millis: number; readonly clientId: string },
): string {
  const { url, issuer, directory, registry, initialize } = runningDocument(running)
  const words = initialize.map(quote).join(' ')
  const dataFlag = `--data ${quote(directory)}`
  const logName = hostNameOf(running.sigstore.deployment.rekor.baseUrl)
  const named =
    logName === hostNameOf(url)
      ? ''
      : `\nThe logs keep the name of the first start, ${logName}: checkpoints and reports call them by it.\n`
  const clientFlag = clientId === DEFAULT_CLIENT_ID ? '' : ` --oidc-client-id ${quote(clientId)}`
  return `A private Sigstore runs at ${url} (ready in ${String(Math.round(millis))} ms, data in ${directory}).

Point a client at it (this replaces what ~/.sigstore/root knows; set TUF_ROOT to keep that):
  countersign ${words}
  cosign ${words}

Sign and verify:
  countersign sign${clientFlag} ${registry}/IMAGE@sha256:…
  countersign verify --certificate-identity YOU@example.com --certificate-oidc-issuer ${issuer} ${registry}/IMAGE@sha256:…
${named}${open ? `\nSign-in is open: any e-mail address is believed, without a password. For scripts:\n  countersign token ${dataFlag} YOU@example.com\n` : ''}
Stop with Ctrl-C. More about it: curl ${url}/
`
}

function hostNameOf(url: string): string {
  return new URL(url).hostname
}

/** For a POSIX shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
