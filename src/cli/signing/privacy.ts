/** What a person is told before something about them is published for good. @module */
import type { Host } from '../kit/host.js'
import { confirmContinue } from '../prompt.js'
import type { ChosenServices } from './services.js'

const PUBLIC_TERMS = [
  '\tThe public Sigstore services are provided under https://lfprojects.org/policies/hosted-project-tools-terms-of-use/',
  '\tand https://lfprojects.org/policies/hosted-project-tools-immutable-records/.',
] as const

const TOLD = new WeakSet<Host['terminal']>()

/** Says what will be public, and asks; once a process, and not with `--yes`. */
export async function confirmPublication(
  host: Host,
  services: ChosenServices,
  { yes }: { readonly yes: boolean },
): Promise<void> {
  if (TOLD.has(host.terminal)) return
  TOLD.add(host.terminal)
  const logs = services.logs.map(({ url }) => url)
  const isPublic = [...logs, services.authority?.url ?? ''].some(
    (url) => URL.canParse(url) && new URL(url).hostname.endsWith('.sigstore.dev'),
  )
  host.terminal.note(
    [
      '',
      `\tThe signature, and with it the identity in your certificate, will be recorded${logs.length === 0 ? '' : ` at ${logs.join(', ')}`}.`,
      '\tA transparency log is readable by everyone who reaches it, and nothing can be removed from it.',
      ...(isPublic ? PUBLIC_TERMS : []),
      '',
    ].join('\n'),
  )
  if (yes) return
  host.terminal.note('Go on only if the identity is yours and this may be public.')
  await confirmContinue(host)
}
