/** What several bills of materials of one image say about one component, put together. @module */
import type { SbomSummary } from '../model.js'
import type { Finding, Witness } from './answer.js'
import type { MatchedComponent } from './entry-reader.js'
import type { Standing } from './matcher.js'

export interface SbomMatches {
  readonly sbom: SbomSummary
  readonly matched: readonly MatchedComponent[]
}

const SEVERITY: Readonly<Record<Standing, number>> = { affected: 2, present: 1, possible: 0 }

/** Where bills disagree, whatever one of them lists is there, and the worse counts. */
export function mergeFindings(all: readonly SbomMatches[]): readonly Finding[] {
  const findings = new Map<string, Finding>()
  for (const { sbom, matched } of all) {
    const { signer, format, version, attachedTo, attestation } = sbom
    const witness: Witness = { signer, format: `${format} ${version}`, attachedTo, attestation }
    for (const { component, match } of matched) {
      const { standing, vulnerability } = match
      const key = JSON.stringify([component.purl ?? nameOf(component), component.version, vulnerability?.id])
      const before = findings.get(key)
      findings.set(
        key,
        before === undefined
          ? { component, standing, vulnerability, witnesses: [witness], vex: undefined }
          : {
              ...before,
              component: {
                ...before.component,
                locations: distinct([...before.component.locations, ...component.locations]),
                hashes: distinct([...before.component.hashes, ...component.hashes]),
              },
              standing: SEVERITY[standing] > SEVERITY[before.standing] ? standing : before.standing,
              witnesses: before.witnesses.some((each) => isSame(each, witness))
                ? before.witnesses
                : [...before.witnesses, witness],
            },
      )
    }
  }
  return [...findings.values()].sort((a, b) => (nameOf(a.component) < nameOf(b.component) ? -1 : 1))
}

/** `org.apache.logging.log4j:log4j-core`, `@angular/core`: a component as its people call it. */
export function nameOf({ group, name }: Pick<Finding['component'], 'group' | 'name'>): string {
  if (group === undefined) return name
  return group.startsWith('@') ? `${group}/${name}` : `${group}:${name}`
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)]
}

function isSame(a: Witness, b: Witness): boolean {
  return a.attestation === b.attestation && a.attachedTo === b.attachedTo
}
