/** Addresses below the API server that policies write. @module */
import { PolicyError } from '../internal/policy-error.js'

const MAX_LENGTH = 4096
const PATH = /^\/apis?\/[^\s\\]*$/
const NAMESPACE = /^\/apis?\/.*?\/namespaces\/([^/?]+)(?:[/?]|$)/

/**
 * The path, if it may be asked for.
 *
 * Variables in it come from whoever wrote the resource: they must not lead out of the path that the policy means, and a namespaced
 * policy reads its own namespace alone (CVE-2026-22039).
 * @throws PolicyError `POLICY_CONTEXT`
 */
export function clusterPath(path: string, namespace: string | undefined): string {
  const [steps = ''] = path.split('?')
  const decoded = decoding(steps)
  const climbs = decoded.split('/').some((step) => step === '..' || step === '.')
  if (path.length > MAX_LENGTH || !PATH.test(path) || climbs || /\/\/|[\\?#]/.test(decoded)) {
    throw new PolicyError('POLICY_CONTEXT', 'this is no path below the API server', {
      expected: '/api/… or /apis/…, without . and ..',
      found: path.slice(0, 200),
    })
  }
  if (namespace === undefined) return path
  const [, of] = NAMESPACE.exec(decoded) ?? []
  if (of === namespace) return path
  throw new PolicyError('POLICY_CONTEXT', 'a namespaced policy asks for what is not of its own namespace', {
    expected: `…/namespaces/${namespace}/…`,
    found: path.slice(0, 200),
  })
}

function decoding(steps: string): string {
  try {
    return decodeURIComponent(steps)
  } catch {
    throw new PolicyError('POLICY_CONTEXT', 'this is no path below the API server', { found: steps.slice(0, 200) })
  }
}
