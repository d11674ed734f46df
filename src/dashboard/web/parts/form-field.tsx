// A field of a small form: its name, its control, what it takes, and what is wrong with it.
import type { ComponentChildren, InputHTMLAttributes } from 'preact'

/** What the control says of itself, for those who do not see the field around it. */
export interface FieldParts {
  id: string
  'aria-describedby': string
  'aria-invalid': true | undefined
}

export interface FormFieldProps {
  id: string
  label: string
  help?: string
  /** Null: nothing is wrong. */
  fault?: string | null
  children: (parts: FieldParts) => ComponentChildren
}

export const FormField = ({ id, label, help = '', fault = null, children }: FormFieldProps) => (
  <div class="field">
    <label for={id}>{label}</label>
    <div class="field-control">
      {children({
        id,
        'aria-describedby': `${id}-help`,
        'aria-invalid': fault === null ? undefined : true,
      })}
      <div class="field-help" id={`${id}-help`}>
        <span class="field-fault" role="alert">
          {fault ?? ''}
        </span>
        {help === '' ? null : <span>{help}</span>}
      </div>
    </div>
  </div>
)

export type TextFieldProps = Omit<FormFieldProps, 'children'> & {
  value: string
  change: (value: string) => void
  input?: InputHTMLAttributes<HTMLInputElement>
}

/** A line of text, or a password. */
export const TextField = ({ value, change, input = {}, ...field }: TextFieldProps) => (
  <FormField {...field}>
    {parts => (
      <input
        type="text"
        {...input}
        {...parts}
        value={value}
        onInput={event => change(event.currentTarget.value)}
      />
    )}
  </FormField>
)
