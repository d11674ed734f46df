// The numbers beside the names of the menu: a page that knows one sets it here, already written for the reader.

import type { MenuName } from '../paths.ts'
import { createCell } from '../state/cell.ts'

export const menuCounts = createCell<Partial<Record<MenuName, string>>>({})

/** Null takes the number away. */
export const setMenuCount = (name: MenuName, text: string | null): void => {
  const { [name]: before, ...rest } = menuCounts.get()
  if (before === (text ?? undefined)) return
  menuCounts.set(text === null ? rest : { ...rest, [name]: text })
}
