import { Input, TagsInput } from '@mantine/core';
import { useMembers, useTeams } from '~/api/settings';
import { useT } from '~/app/messages';
import classes from '../Form.module.css';
import { useForm, usePathError } from '../FormContext';
import { fieldOf, isRecord, propertiesOf } from '../schema';
import type { Property } from '../schema';
import { SchemaField } from '../SchemaField';
import type { FieldProps } from '../SchemaField';
import { textsOf } from './TextsField';
import { useFieldFrame } from './basics';

/** People and groups, found by name; what is not in the list may be an address or an expression. */
export function PeopleField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  const given = isRecord(value) ? value : {};
  return (
    <Input.Wrapper {...words} labelElement="div">
      <div className={`${classes.fields} ${classes.indent}`}>
        {propertiesOf(field.schema, value, form.root).map((part) =>
          part.name === 'users' || part.name === 'groups' ? (
            <Names key={part.name} part={part} path={[...path, part.name]} value={textsOf(given[part.name])} />
          ) : (
            <SchemaField key={part.name} schema={part.schema} name={part.name} path={[...path, part.name]} value={given[part.name]} required={part.required} />
          ),
        )}
      </div>
    </Input.Wrapper>
  );
}

function Names({ part, path, value }: { part: Property; path: (string | number)[]; value: string[] }) {
  const t = useT();
  const form = useForm();
  const error = usePathError(path);
  const groups = part.name === 'groups';
  const members = useMembers(!groups);
  const teams = useTeams(groups);
  const names = new Map<string, string>(
    groups
      ? (teams.data?.results ?? []).map((team) => [team.slug, team.name])
      : (members.data?.results ?? []).filter((one) => one.is_active).map((one) => [one.email, one.name]),
  );
  return (
    <div data-field={path.join('.')}>
      <TagsInput
        label={fieldOf(part.schema, form.root, part.name).title}
        error={error}
        placeholder={value.length > 0 ? undefined : t(groups ? 'editor.form.groups' : 'editor.form.people')}
        disabled={form.readOnly}
        data={[...names.keys()]}
        value={value}
        splitChars={[]}
        acceptValueOnBlur
        filter={({ options, search }) =>
          options.filter((option) => {
            const id = 'value' in option ? String(option.value) : '';
            return `${id} ${names.get(id) ?? ''}`.toLowerCase().includes(search.trim().toLowerCase());
          })
        }
        renderOption={({ option }) => (
          <span>
            {names.get(option.value) ?? option.value}
            <span className={classes.hint}>{` ${option.value}`}</span>
          </span>
        )}
        onChange={(next) => form.set(path, next)}
        onBlur={form.settle}
      />
    </div>
  );
}
