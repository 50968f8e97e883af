/** Policies of both kinds. @module */
import { ISSUER, SIGNER } from './registry.js'

export function kyvernoPolicy(name: string, images: string): string {
  return `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: ${name}}
spec:
  validationFailureAction: Enforce
  rules:
    - name: signed
      match: {any: [{resources: {kinds: [Pod]}}]}
      verifyImages:
        - imageReferences: ["${images}"]
          attestors: [{entries: [{keyless: {issuer: "${ISSUER}", subject: "${SIGNER}"}}]}]
`
}

export function clusterImagePolicy(name: string, images: string): string {
  return `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: ${name}}
spec:
  images: [{glob: "${images}"}]
  authorities: [{keyless: {identities: [{issuer: "${ISSUER}", subject: "${SIGNER}"}]}}]
`
}
