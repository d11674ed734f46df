// Runs in the browser: JSON Schema as lines that people read, and values that fit it as a start. It knows no page.

/** @param document the OpenAPI document */
export const createSchemas = document => {
  const schemas = document.components?.schemas ?? {}
  const nameOf = schema => schema?.$ref?.split('/').at(-1) ?? null
  const resolve = schema => {
    const name = nameOf(schema)
    return name === null ? (schema ?? {}) : { ...schemas[name], ...schema, $ref: undefined }
  }

  const bounds = ({ minimum, maximum, exclusiveMinimum, minLength, maxLength, pattern, default: preset }) =>
    [
      minimum !== undefined && `≥ ${minimum}`,
      exclusiveMinimum !== undefined && `> ${exclusiveMinimum}`,
      maximum !== undefined && `≤ ${maximum}`,
      minLength !== undefined && `${minLength} characters or more`,
      maxLength !== undefined && `up to ${maxLength} characters`,
      pattern !== undefined && `/${pattern}/`,
      preset !== undefined && preset !== null && `default ${JSON.stringify(preset)}`,
    ].filter(Boolean)

  /** A type in a few words: `integer`, `array of Task`, `text or null`. */
  const typeOf = schema => {
    const name = nameOf(schema)
    if (name !== null) return name === 'Json' ? 'any JSON' : name
    if (schema.const !== undefined) return JSON.stringify(schema.const)
    if (schema.enum) return schema.enum.map(value => JSON.stringify(value)).join(' | ')
    const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf
    if (parts) return [...new Set(parts.map(typeOf))].join(schema.allOf ? ' & ' : ' | ')
    if (schema.type === 'array') return `array of ${typeOf(schema.items ?? {})}`
    if (Array.isArray(schema.type)) return schema.type.join(' | ')
    return schema.format ? `${schema.type} (${schema.format})` : (schema.type ?? 'any JSON')
  }

  /** The first part that has fields: what `anyOf` with null, or an array, is about. */
  const fieldsOf = (schema, seen = []) => {
    const name = nameOf(schema)
    // a schema may hold itself, as that of JSON does
    if (seen.includes(name)) return null
    const names = name === null ? seen : [...seen, name]
    const whole = resolve(schema)
    if (whole.properties) return whole
    if (whole.items) return fieldsOf(whole.items, names)
    for (const part of whole.anyOf ?? whole.oneOf ?? []) {
      const found = fieldsOf(part, names)
      if (found) return found
    }
    return null
  }

  /** Fields of a schema, `{name, type, note, required, inner}`, to the depth of its own document. */
  const rows = (schema, depth = 0) => {
    const whole = depth > 4 ? null : fieldsOf(schema)
    return Object.entries(whole?.properties ?? {}).map(([name, field]) => {
      const full = resolve(field)
      return {
        name,
        type: typeOf(field),
        note: [full.description, bounds(full).join(', ')].filter(Boolean).join('; '),
        required: whole.required?.includes(name) ?? false,
        inner: rows(field, depth + 1),
      }
    })
  }

  return { rows, typeOf }
}
