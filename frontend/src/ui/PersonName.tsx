import { Tooltip } from '@mantine/core';
import { useRight } from '~/api/me';
import { useMembers } from '~/api/settings';

/** A person who is known by a mail address: the name, with the address on hover. */
export function PersonName({ email }: { email: string }) {
  const members = useMembers(useRight('flow.view')).data?.results;
  const name = members?.find((member) => member.email === email)?.name;
  return name ? <Tooltip label={email}><span>{name}</span></Tooltip> : <>{email}</>;
}
