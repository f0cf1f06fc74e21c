import { useDebouncedValue } from '@mantine/hooks';
import { usePreview } from '../../api';
import { Problem } from '~/api/problem';
import { useT } from '~/app/messages';
import classes from '../Form.module.css';
import { containersOf } from '~/features/canvas/nesting';
import { useEditor } from '../../store';
import { useForm } from '../FormContext';
import { sampleText } from '../sampleText';

const REST_MS = 400;

export interface Fault {
  from: number;
  to: number;
  message: string;
}

/** Where in the expression the server found the fault. */
function faultOf(error: unknown): Fault | null {
  if (!(error instanceof Problem) || error.status !== 422) return null;
  const position = error.fields['position'] as { start?: number; end?: number } | undefined;
  return { from: position?.start ?? 0, to: position?.end ?? position?.start ?? 0, message: error.message };
}

export interface Live {
  state: 'none' | 'value' | 'fault';
  text: string;
  fault: Fault | null;
}

/** The value of an expression with the chosen sample. */
export function useLiveValue(expression: string): Live {
  const form = useForm();
  const [rested] = useDebouncedValue(expression.replace(/^=/, '').trim(), REST_MS);
  // A run's data knows no single item: what reads one is shown only where it is a path of the sample.
  const isInside = useEditor(({ document }) => containersOf(document, form.owner).length > 0);
  const ofItem = (form.names?.length ?? 0) > 0 || (isInside && /\b(item|index|result|succeeded|failed)\b/.test(rested));
  const { data, error } = usePreview(form.flowId, ofItem ? '' : rested, form.sample?.id ?? null);
  const known = ofItem ? form.paths().find((node) => node.path === rested && node.hasSample) : undefined;
  if (ofItem) return known ? { state: 'value', text: sampleText(known.sample, 300), fault: null } : { state: 'none', text: '', fault: null };
  const fault = faultOf(error);
  if (fault) {
    const said = error instanceof Problem ? error.fields['suggestion'] : undefined;
    return { state: 'fault', text: [fault.message, typeof said === 'string' ? said : ''].filter(Boolean).join(' '), fault };
  }
  return data && rested !== '' ? { state: 'value', text: sampleText(data.value, 300), fault: null } : { state: 'none', text: '', fault: null };
}

/** Under an expression: what it gives, or what is wrong with it; `quiet` where the check says that already. */
export function Preview({ live, id, quiet }: { live: Live; id: string; quiet?: boolean }) {
  const t = useT();
  return (
    <div id={id} className={classes.preview} data-failed={live.state === 'fault' || undefined}>
      {live.state === 'value' ? (
        <>
          <span>{t('editor.preview.gives')}</span>
          <span className={classes.value}>{live.text}</span>
        </>
      ) : null}
      {live.state === 'fault' && !quiet ? <span>{live.text}</span> : null}
    </div>
  );
}
