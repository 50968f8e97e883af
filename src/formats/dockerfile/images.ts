/** Which images a Dockerfile builds on and copies from. @module */
import { DockerfileError } from './dockerfile-error.js'
import { syntax, parseInstructions, type Instruction } from './instructions.js'
import { substitute, type Variables } from './substitute.js'
import { splitWords, takeFlags } from './words.js'

/** The images that a Dockerfile names. */
export interface DockerfileImages {
  /** Of FROM lines, `COPY --from` and `RUN --mount=from=…`, in their order, without stages and `scratch`. */
  readonly images: readonly string[]
  /** What the last stage is built on, through other stages; undefined if that is nothing (`scratch`). */
  readonly base: string | undefined
}

/** What has no image behind it. */
const NOTHING = 'scratch'

/**
 * Reads the images. As BuildKit has it, variables in FROM are those that `ARG` declares before the first FROM; one that has no value there
 * is looked up with `environment`. Which values a build is started with (`--build-arg`) cannot be known.
 * @throws DockerfileError `DOCKERFILE_SYNTAX`, `DOCKERFILE_VARIABLE`, `DOCKERFILE_LIMIT`
 */
export function imagesOfDockerfile(text: string, environment: Variables): DockerfileImages {
  const { instructions, escape } = parseInstructions(text)
  const reader = new ImageReader(environment, escape)
  for (const instruction of instructions) reader.read(instruction)
  return { images: reader.images, base: reader.base }
}

type Declared = { readonly value: string } | { readonly error: DockerfileError }

class ImageReader {
  readonly images: string[] = []
  /** What the last stage so far is built on. */
  base: string | undefined
  readonly #environment: Variables
  readonly #escape: string
  readonly #declared = new Map<string, Declared>()
  /** Name of a stage, in lower case → what it is built on. */
  readonly #stages = new Map<string, string | undefined>()
  #count = 0

  constructor(environment: Variables, escape: string) {
    this.#environment = environment
    this.#escape = escape
  }

  read(instruction: Instruction): void {
    switch (instruction.name) {
      case 'FROM':
        this.#from(instruction)
        break
      case 'ARG':
      case 'ENV':
        // Inside of a stage they are about the stage.
        if (this.#count === 0) this.#declare(instruction)
        break
      case 'COPY':
        for (const from of this.#flags(instruction, 'from')) this.#source(from, instruction)
        break
      case 'RUN':
        for (const mount of this.#flags(instruction, 'mount'))
          for (const from of mountSources(mount)) this.#source(from, instruction)
        break
      default: // names no image
    }
  }

  #from(instruction: Instruction): void {
    const { rest, line } = instruction
    const words = takeFlags(rest, this.#escape)
      .rest.split(/[\t\v\f\r ]+/)
      .filter((word) => word !== '')
    const [written = '', as, name] = words
    const named = words.length === 3 && as?.toUpperCase() === 'AS'
    if (words.length !== 1 && !named) throw syntax(line, 'FROM IMAGE, or FROM IMAGE AS NAME', rest)
    const image = this.#substituted(written, instruction)
    if (image === '') throw syntax(line, 'the name of an image', rest)
    this.base = this.#baseNamed(image)
    this.#count += 1
    if (name === undefined) return
    // A name that BuildKit would not take must not hide what somebody else takes for an image.
    if (!/^[a-z][a-z0-9_.-]*$/i.test(name)) throw syntax(line, 'a stage named with letters, digits, - _ and .', name)
    this.#stages.set(name.toLowerCase(), this.base)
  }

  #baseNamed(image: string): string | undefined {
    if (this.#stages.has(image.toLowerCase())) return this.#stages.get(image.toLowerCase())
    if (image === NOTHING) return undefined
    this.images.push(image)
    return image
  }

  /** A stage by name or number, or an image. */
  #source(written: string, instruction: Instruction): void {
    const source = this.#substituted(written, instruction)
    if (source === '' || source === NOTHING) return
    if (/^\d+$/.test(source)) {
      if (Number(source) < this.#count) return
      throw syntax(instruction.line, 'the number of an earlier stage', source)
    }
    if (!this.#stages.has(source.toLowerCase())) this.images.push(source)
  }

  #declare(instruction: Instruction): void {
    const words = splitWords(instruction.rest, this.#escape)
    const [first = '', ...rest] = words
    if (instruction.name === 'ENV' && !first.includes('=')) {
      this.#declared.set(first, this.#declaredAs(rest.join(' '), instruction))
      return
    }
    for (const word of words) {
      const equals = word.indexOf('=')
      // Without a value it has that of the environment.
      if (equals < 0) continue
      this.#declared.set(word.slice(0, equals), this.#declaredAs(word.slice(equals + 1), instruction))
    }
  }

  /** What cannot be said about a variable only matters where an image is named by it. */
  #declaredAs(word: string, instruction: Instruction): Declared {
    try {
      return { value: this.#substituted(word, instruction) }
    } catch (error) {
      if (error instanceof DockerfileError) return { error }
      throw error
    }
  }

  #valueOf(name: string): string | undefined {
    const declared = this.#declared.get(name)
    if (declared === undefined) return this.#environment(name)
    if ('error' in declared) throw declared.error
    return declared.value
  }

  #flags({ rest }: Instruction, name: string): readonly string[] {
    const prefix = `--${name}=`
    const { flags } = takeFlags(rest, this.#escape)
    return flags.flatMap((flag) => (flag.toLowerCase().startsWith(prefix) ? [flag.slice(prefix.length)] : []))
  }

  #substituted(word: string, { line }: Instruction): string {
    return substitute(word, { variables: (name) => this.#valueOf(name), escape: this.#escape, line })
  }
}

/** `type=bind,from=IMAGE,target=…` */
function mountSources(mount: string): readonly string[] {
  return mount.split(',').flatMap((field) => {
    const [, value] = /^"?from=(.*?)"?$/i.exec(field.trim()) ?? []
    return value === undefined ? [] : [value]
  })
}
