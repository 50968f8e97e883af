/** A process: the server that the gate stands on, answering every request with one verdict, whatever it says. @module */
import { writeFileSync } from 'node:fs'
import { randomBytes } from '#crypto/random'
import { issueServingCertificate } from '#gate/certificates/issue'
import { readBody } from '#serving/body'
import { json } from '#serving/responses'
import { serve } from '#serving/serve'

const ANSWER = {
  apiVersion: 'admission.k8s.io/v1',
  kind: 'AdmissionReview',
  response: { uid: '705ab4f5-6393-11e8-b7cc-42010a800002', allowed: true },
}
const LIMITS = { maxBytes: 8 * 1024 * 1024 }

const names = [{ kind: 'dns', value: 'localhost' } as const]
const made = await issueServingCertificate({ names, now: Date.now(), random: randomBytes })
writeFileSync(process.argv[2] ?? '', made.authority)
const server = await serve(
  async (request) => {
    await readBody(request, LIMITS)
    return json(200, ANSWER)
  },
  {
    host: 'localhost',
    port: 0,
    tls: { certificates: made.certificate, key: made.key },
    onFault: (error) => {
      console.error(error)
    },
  },
)
console.log(server.origin)
