/** The names of everything that runs, so that of all vulnerabilities only those that could matter are kept. @module */
import type { EntryStore } from '../cache/entries.js'
import { isHeader, namesInLine, parseComponent } from '../cache/entry.js'
import type { Inventory } from '../model.js'
import { purlReader } from './matcher.js'
import { namesOfCandidate } from './package-match.js'
import { nameKey } from './vulnerability.js'

/** Keys of all names of all components, as far as the cache still has them. */
export async function knownNames({ images }: Inventory, entries: EntryStore): Promise<ReadonlySet<string>> {
  const read = purlReader()
  const names = new Set<string>()
  const keys = images.flatMap(({ platforms }) => platforms.flatMap(({ sboms }) => sboms.map(({ key }) => key)))
  for (const key of new Set(keys)) {
    const text = await entries.read(key)
    for (const line of text?.split('\n') ?? []) {
      if (isHeader(line)) continue
      const quick = namesInLine(line)
      if (quick !== undefined) {
        for (const name of quick) names.add(name)
        continue
      }
      const component = parseComponent(line)
      const candidate = { component, purl: read(component.purl), distribution: undefined }
      for (const name of namesOfCandidate(candidate)) names.add(name)
    }
  }
  // Most images have the same components: each name is folded once.
  return new Set([...names].map(nameKey))
}
