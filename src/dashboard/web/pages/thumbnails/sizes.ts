// Sizes as people write them: `128x128, 640 × 480`. Pure.

export type Size = readonly [width: number, height: number]

const SIZE = /^(\d{1,5})\s*[x×х*]\s*(\d{1,5})$/i

/** Each once. Null where something stands there that is no size, or nothing does. */
export const readSizes = (text: string): Size[] | null => {
  const parts = text
    .split(/[,;\n]/)
    .map(part => part.trim())
    .filter(part => part !== '')
  const sizes = new Map<string, Size>()
  for (const part of parts) {
    const [, width, height] = SIZE.exec(part) ?? []
    const size: Size = [Number(width), Number(height)]
    // what is no size is NaN
    if (!size.every(side => side > 0)) return null
    sizes.set(size.join('x'), size)
  }
  return sizes.size === 0 ? null : [...sizes.values()]
}

export const sizesText = (sizes: readonly Size[]): string => sizes.map(size => size.join('x')).join(', ')
