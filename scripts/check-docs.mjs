/**
 * Holds the documents to the source: codes, folders, files, links, dependencies, and the header of every module.
 *
 * @module
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { filesBelow } from './build.mjs'
import { checkErrorCodes } from './error-codes.mjs'

process.chdir(dirname(import.meta.dirname))

const DOCUMENTS = [
  ...readdirSync('.').filter((name) => name.endsWith('.md')),
  ...filesBelow('docs').filter((path) => path.endsWith('.md')),
]
const REQUIRED = [
  'README.md',
  'ARCHITECTURE.md',
  'STYLE.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'LICENSE',
  'docs/specs.md',
  'docs/errors.md',
  'docs/threat-model.md',
  'docs/dependencies.md',
  'docs/differences.md',
]
const FORBIDDEN_NAMES = new Set(['utils', 'util', 'helpers', 'helper', 'common', 'misc', 'index'])

const read = (path) => readFileSync(path, 'utf8')
const folders = (path) =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)

/** Check → the problems it finds. */
const CHECKS = {
  requiredDocuments: () => REQUIRED.filter((path) => !existsSync(path)).map((path) => `${path} is missing`),

  errorCodes: checkErrorCodes,

  architectureNamesEveryFolder() {
    const text = read('ARCHITECTURE.md')
    const missing = []
    for (const layer of folders('src')) {
      if (!text.includes(`\`${layer}/\``))
        missing.push(`ARCHITECTURE.md does not mention src/${layer}/ (write \`${layer}/\`)`)
      for (const folder of folders(join('src', layer))) {
        if (folder === 'testdata' || new RegExp(`\\b${folder}\\b`).test(text)) continue
        missing.push(`ARCHITECTURE.md does not mention src/${layer}/${folder}/`)
      }
    }
    return missing
  },

  /** A file that a document names in backticks, and the target of every relative link, exists. */
  namedFilesExist() {
    return DOCUMENTS.flatMap((document) => {
      const text = read(document).replace(/^```[\s\S]*?^```/gm, '')
      const named = [...text.matchAll(/`((?:src|test|scripts|docs|bench|examples|bin|fuzz)\/[\w./-]+)`/g)].map(
        (match) => match[1],
      )
      const linked = [...text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)[^)]*\)/g)].map((match) =>
        join(dirname(document), match[1]),
      )
      return [...new Set([...named, ...linked])]
        .filter((path) => !existsSync(path))
        .map((path) => `${document} names ${path}, which does not exist`)
    })
  },

  everyDependencyIsExplained() {
    const text = read('docs/dependencies.md')
    const { dependencies, devDependencies } = JSON.parse(read('package.json'))
    const all = Object.entries({ ...dependencies, ...devDependencies })
    const inexact = all
      .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))
      .map(([name]) => `${name} has no exact version in package.json`)
    const silent = all
      .filter(([name]) => !text.includes(`\`${name}\``))
      .map(([name]) => `docs/dependencies.md does not explain \`${name}\``)
    return [...inexact, ...silent]
  },

  /** Registries are a setting of the machine that installs, not of the project. */
  lockFileNamesNoRegistry: () =>
    /"resolved": "http/.test(read('package-lock.json')) ? ['package-lock.json names a registry host'] : [],

  everyModuleHasAHeader() {
    return filesBelow('src')
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .filter((path) => !/^\/\*\*[\s\S]*?@module[\s\S]*?\*\//.test(read(path).replace(/^#!.*\n/, '')))
      .map((path) => `${path} does not begin with a /** sentence. @module */`)
  },

  namesSaySomething() {
    return filesBelow('src').flatMap((path) => {
      const parts = path.replace(/\.(test\.)?ts$/, '').split(/[\\/]/)
      const bad = parts.find((part) => FORBIDDEN_NAMES.has(part))
      return bad === undefined ? [] : [`${path}: "${bad}" says nothing about what is inside`]
    })
  },

  adrNumbersAreUnique() {
    if (!existsSync('docs/adr')) return ['docs/adr is missing']
    const seen = new Map()
    return readdirSync('docs/adr').flatMap((name) => {
      const number = /^(\d{4})-/.exec(name)?.[1]
      if (number === undefined) return name === 'README.md' ? [] : [`docs/adr/${name} has no number`]
      const other = seen.get(number)
      seen.set(number, name)
      return other === undefined ? [] : [`docs/adr/${name} and ${other} share a number`]
    })
  },
}

const problems = Object.values(CHECKS).flatMap((check) => check())
for (const problem of problems) console.error(problem)
console.log(
  problems.length === 0 ? `documents in step: ${Object.keys(CHECKS).length} checks` : `${problems.length} problems`,
)
process.exit(problems.length === 0 ? 0 : 1)
