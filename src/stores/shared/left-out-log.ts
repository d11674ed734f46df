// What a list of documents had to leave out goes to the log, once each.
import type { CollectionName, LeftOut } from '../../core/documents.ts'
import type { Log } from '../../platform/log.ts'

export const createLeftOutLog = (
  log: Log,
): ((collection: CollectionName, leftOut: readonly LeftOut[]) => void) => {
  const told = new Set<string>()
  return (collection, leftOut) => {
    for (const { name, why } of leftOut) {
      const place = `${collection}/${name}`
      if (told.has(place)) continue
      told.add(place)
      log.error({ collection, name, why }, 'a document cannot be used; it is left out')
    }
  }
}
