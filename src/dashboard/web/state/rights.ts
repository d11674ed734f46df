// What the reader may do. The server writes it into the document, so it is known before anything is drawn or asked for;
// /me.json says it again. It decides what a page offers; what is done, the server decides.
import type { Right } from '../paths.ts'
import { createCell, useCell } from './cell.ts'

const inDocument = (document.documentElement.dataset.may ?? '').split(' ') as Right[]
const rights = createCell<readonly Right[]>(inDocument)

export const may = (right: Right): boolean => rights.get().includes(right)
export const useRights = (): readonly Right[] => useCell(rights)
export const useMay = (right: Right): boolean => useCell(rights).includes(right)

/** As the server has just said. */
export const setRights = (now: readonly Right[]): void => {
  if (now.join() !== rights.get().join()) rights.set(now)
}
