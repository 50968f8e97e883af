/** A key pair in a Secret of a cluster, as cosign makes them. @module */
import type { KubernetesObject } from '#clients/kubernetes/object'
import { orAbsent } from '#clients/kubernetes/or-absent'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isJsonObject, type JsonObject } from '#encoding/json'
import { CliError } from '../../kit/errors.js'
import type { Host } from '../../kit/host.js'
import type { KeyPart, KeyStore, StoredKeyPair } from './key-store.js'

const MEMBERS: Readonly<Record<KeyPart, string>> = {
  sealed: 'cosign.key',
  publicKey: 'cosign.pub',
  password: 'cosign.password',
}
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** The cluster is the one that KUBECONFIG or the home folder names, or the one that this runs in. */
export async function openClusterSecret(host: Host, reference: string, signal: AbortSignal): Promise<KeyStore> {
  const [namespace = '', name = '', ...rest] = reference.split('/')
  if (rest.length > 0 || !NAME.test(namespace) || !NAME.test(name)) {
    throw new CliError('CLI_INPUT', 'kubernetes specification should be in the format k8s://<namespace>/<secret>', {
      expected: 'k8s://NAMESPACE/SECRET',
      found: `k8s://${reference.slice(0, 200)}`,
    })
  }
  const api = await host.openCluster({})
  const of = { apiVersion: 'v1', resource: 'secrets', namespace }
  const place = `the secret ${namespace}/${name}`
  const current = async (): Promise<KubernetesObject | undefined> => await orAbsent(api.get({ ...of, name }, signal))
  return {
    place,
    holds: async () => {
      const data = dataOf(await current())
      return Object.values(MEMBERS).some((member) => member in data)
    },
    read: async (part) => {
      const data = dataOf(await api.get({ ...of, name }, signal))
      const text = data[MEMBERS[part]]
      if (typeof text === 'string') return decodeBase64(text)
      throw new CliError('CLI_INPUT', `${place} has no ${MEMBERS[part]}`, {
        expected: 'a secret as "generate-key-pair k8s://…" makes it',
        found: Object.keys(data).length === 0 ? 'no data' : Object.keys(data).join(', ').slice(0, 200),
      })
    },
    write: async (pair) => {
      const found = await current()
      if (found === undefined) await api.create(of, secretOf({ namespace, name }, pair), { signal })
      else await api.update({ ...of, name }, replacing(found, pair, place), { signal })
      return [`Successfully created secret ${name} in namespace ${namespace}`]
    },
  }
}

function dataOf(secret: KubernetesObject | undefined): JsonObject {
  const data = secret?.['data']
  return isJsonObject(data) ? data : {}
}

function secretOf(metadata: JsonObject, pair: StoredKeyPair): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', immutable: true, data: encoded(pair) }
}

/** The rest of it stays; the version in it makes the API server refuse if somebody else was faster. */
function replacing(found: KubernetesObject, pair: StoredKeyPair, place: string): JsonObject {
  if (found['immutable'] === true) {
    throw new CliError('CLI_KEY_EXISTS', `${place} is immutable: the key pair in it cannot be replaced`, {
      expected: 'a name that is free',
      hint: 'take another name; or delete the secret, and with it the key',
    })
  }
  return { ...found, immutable: true, data: { ...dataOf(found), ...encoded(pair) } }
}

function encoded(pair: StoredKeyPair): JsonObject {
  return Object.fromEntries(
    Object.entries(MEMBERS).map(([part, member]) => [member, encodeBase64(pair[part as KeyPart])]),
  )
}
