import { Checkbox } from '@mantine/core';
import { ROLES } from '~/api/types';
import type { Role } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import classes from './Settings.module.css';

export const roleName = (role: Role, t: Translate): string => t(`settings.role.${role}`);

/** The roles with what each allows. */
export function RoleChoice({ value, onChange }: { value: Role[]; onChange: (roles: Role[]) => void }) {
  const t = useT();
  return (
    <Checkbox.Group label={t('settings.roles')} value={value} onChange={(roles) => onChange(roles)}>
      <div className={classes.roles}>
        {ROLES.map((role) => (
          <Checkbox key={role} value={role} label={roleName(role, t)} description={t(`settings.role.${role}.text`)} />
        ))}
      </div>
    </Checkbox.Group>
  );
}
