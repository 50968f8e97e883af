/** Writing many expressions as one with gaps. @module */

export function calls(template: string, ...fillings: readonly (readonly string[])[]): readonly string[] {
  return fillings.map((filling) => filling.reduce((text, part) => text.replace('$', () => part), template))
}

export function each(template: string, ...values: readonly string[]): readonly string[] {
  return values.map((value) => template.replaceAll('$', () => value))
}
