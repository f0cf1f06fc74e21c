import { Validator } from '@cfworker/json-schema';
import type { OutputUnit, Schema } from '@cfworker/json-schema';
import { toErrorSchema } from '@rjsf/utils';
import type { RJSFSchema, RJSFValidationError, ValidationData, ValidatorType } from '@rjsf/utils';

/** The innermost complaints: the outer ones only say that something inside is wrong. */
function leaves(units: OutputUnit[]): OutputUnit[] {
  return units.filter((unit) => !units.some((other) => other !== unit && other.keywordLocation.startsWith(`${unit.keywordLocation}/`)));
}

function readError(unit: OutputUnit): RJSFValidationError {
  const at = unit.instanceLocation.replace(/^#/, '').split('/').filter(Boolean);
  const missing = unit.keyword === 'required' ? /property "([^"]+)"/.exec(unit.error)?.[1] : undefined;
  const property = `.${[...at, ...(missing ? [missing] : [])].join('.')}`;
  return { name: unit.keyword, property, message: unit.error, stack: `${property} ${unit.error}`, schemaPath: unit.keywordLocation, params: {} };
}

function check(schema: RJSFSchema, data: unknown): RJSFValidationError[] {
  const { errors } = new Validator(schema as Schema, '2020-12', false).validate(data ?? {});
  return leaves(errors).map(readError);
}

/**
 * JSON Schema by an interpreter: the page's policy allows no generated code, so the usual compiling
 * validator cannot run here. The server checks again.
 */
export const validator: ValidatorType = {
  validateFormData(data: unknown, schema, _custom, transform): ValidationData<unknown> {
    const found = check(schema, data);
    const errors = transform ? transform(found) : found;
    return { errors, errorSchema: toErrorSchema(errors) };
  },
  isValid(schema: RJSFSchema, data: unknown, root: RJSFSchema) {
    return check({ ...schema, $defs: { ...(root.$defs ?? {}), ...(schema.$defs ?? {}) } }, data).length === 0;
  },
  rawValidation<Result>(schema: RJSFSchema, data?: unknown) {
    return { errors: check(schema, data) as Result[] };
  },
};

export default validator;
