namespace Native.LibUsb.Generator.Model;

/// <summary>Reports the types of the header that have no counterpart in C#, before code is written with them.</summary>
internal sealed class TypeCheck
{
    private readonly ManagedTypes _types;
    private readonly InputErrors _errors;

    private TypeCheck(ManagedTypes types, InputErrors errors)
    {
        _types = types;
        _errors = errors;
    }

    /// <summary>Checks the types in all functions, callbacks and records of the model, and reports each type that has no counterpart in C#.</summary>
    /// <returns>
    /// The records whose layout can be compared. All fields of such a record, including the fields of the records inside it, have a C# type.
    /// </returns>
    public static IReadOnlyList<CRecord> Run(BindingModel model, InputErrors errors)
    {
        var check = new TypeCheck(model.Types, errors);
        foreach (CFunction function in model.Functions)
            check.Try([.. function.Parameters.Select(parameter => parameter.Type), function.Returns], $"{function.Location}: error: a type of '{function.Name}'");
        foreach (CCallback callback in model.Callbacks)
            check.Try([.. callback.Type.Parameters, callback.Type.Returns], $"{callback.Location}: error: a type of '{callback.Name}'");
        var known = model.Records.Where(record => check.HasKnownFields(record) & !model.IsRefused(record)).ToHashSet();
        return [.. model.Records.Where(IsKnown)];

        bool IsKnown(CRecord record) => known.Contains(record) && FieldsOf(record).All(field => model.Types.RecordOf(field.Type) is not { } inner || IsKnown(inner));
    }

    private static IEnumerable<CField> FieldsOf(CRecord record) =>
        (record.Fields ?? []).SelectMany(field => field.Nested is { } nested ? FieldsOf(nested) : [field]);

    private bool HasKnownFields(CRecord record)
    {
        bool all = true;
        foreach (CField field in record.Fields ?? [])
        {
            all &= field.Nested is { } nested
                ? HasKnownFields(nested)
                : Try([field.Type is CArrayType array ? array.Element : field.Type], $"{field.Location}: error: the type of '{field.Name}'");
        }

        return all;
    }

    private bool Try(IEnumerable<CType> types, string place)
    {
        try
        {
            foreach (CType type in types)
                _ = _types.Map(type);
            return true;
        }
        catch (FormatException e)
        {
            _errors.Add($"{place}: {e.Message}");
            return false;
        }
    }
}
