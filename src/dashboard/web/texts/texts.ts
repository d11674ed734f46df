// The texts of all languages. Each has one file; the English one says which texts there are.
import { en, type Texts } from './en.ts'
import type { Language } from './languages.ts'
import { ru } from './ru.ts'

export type { Texts }

export const TEXTS: Readonly<Record<Language, Texts>> = { en, ru }
