using Native.LibUsb.Generator.Clang;
using Native.LibUsb.Generator.Model;

namespace Native.LibUsb.Generator.Settings;

/// <summary>
/// Compares the settings with the header. If the settings contain a name that the header does not declare, the class reports an error. It also reports an error
/// if the settings contain no version for a declaration.
/// </summary>
internal static class SettingsCheck
{
    public static void Run(GeneratorSettings settings, CHeader header, IReadOnlyList<Macro> macros, InputErrors errors)
    {
        var imports = header.Functions.Where(function => !function.IsInline).Select(function => function.Name).ToList();
        var inlines = header.Functions.Where(function => function.IsInline).Select(function => function.Name).ToList();

        Used("flags", settings.Flags, header.Enums.Select(item => item.Name), "enum", errors);
        Used("suppressGcTransition", settings.SuppressGcTransition, imports.Except(settings.Exclude.Functions.Keys), "imported function", errors);
        Used("exclude.functions", settings.Exclude.Functions.Keys, imports, "function", errors);
        Used("exclude.inlines", settings.Exclude.Inlines.Keys, inlines, "inline function", errors);
        Used("exclude.macros", settings.Exclude.Macros.Keys, macros.Select(macro => macro.Name), "macro", errors);
        Used("external", settings.External.Keys, TypesOf(header).SelectMany(Names), "use of a type", errors);
        foreach ((string? name, string? reason) in settings.Exclude.Functions.Concat(settings.Exclude.Inlines).Concat(settings.Exclude.Macros).Concat(settings.External))
            if (string.IsNullOrWhiteSpace(reason))
                errors.Add($"settings.json: error: '{name}' needs a reason");

        foreach (CFunction function in header.Functions)
        {
            if (function.IsInline && !settings.Exclude.Inlines.ContainsKey(function.Name))
                errors.Add($"{function.Location}: error: '{function.Name}' is inline, so no library exports it; port it by hand and name it in settings.json, exclude.inlines");
            else if (function.IsVariadic && !settings.Exclude.Functions.ContainsKey(function.Name))
                errors.Add($"{function.Location}: error: '{function.Name}' is variadic, which .NET cannot call; name it in settings.json, exclude.functions, with the reason");
        }

        if (settings.Since is { } since)
        {
            if (!Version.TryParse(settings.BaseVersion, out _))
                errors.Add($"settings.json: error: baseVersion '{settings.BaseVersion}' is no version");
            Complete("since.functions", since.Functions, header.Functions.Where(function => !function.IsInline), "function", errors);
            Complete("since.inlines", since.Inlines, header.Functions.Where(function => function.IsInline), "inline function", errors);
            Complete("since.records", since.Records, header.Records, "record", errors);
            Complete("since.enums", since.Enums, header.Enums, "enum", errors);
            Complete("since.callbacks", since.Callbacks, header.Callbacks, "callback", errors);
            Complete("since.constants", since.Constants, header.Constants, "constant", errors);
        }

    }

    private static IEnumerable<CType> TypesOf(CHeader header) =>
        header.Functions.SelectMany(function => function.Parameters.Select(parameter => parameter.Type).Append(function.Returns))
            .Concat(header.Records.SelectMany(record => record.Fields ?? []).SelectMany(field => field.Nested?.Fields?.Select(inner => inner.Type) ?? [field.Type]))
            .Concat(header.Callbacks.Select(callback => callback.Type));

    private static IEnumerable<string> Names(CType type) => type switch
    {
        CNamedType named => [named.Name],
        CPointerType pointer => Names(pointer.Target),
        CArrayType array => Names(array.Element),
        CFunctionType function => function.Parameters.Append(function.Returns).SelectMany(Names),
        _ => [],
    };

    private static void Used(string setting, IEnumerable<string> names, IEnumerable<string> known, string kind, InputErrors errors)
    {
        var all = known.ToHashSet();
        foreach (string name in names)
            if (!all.Contains(name))
                errors.Add($"settings.json: error: {setting}: the header has no {kind} '{name}'{Suggestion.For(name, all)}");
        foreach (IGrouping<string, string>? name in names.GroupBy(name => name).Where(group => group.Count() > 1))
            errors.Add($"settings.json: error: {setting}: '{name.Key}' is there twice");
    }

    private static void Complete(string setting, OrderedDictionary<string, string> versions, IEnumerable<IDeclaration> declarations, string kind, InputErrors errors)
    {
        var all = declarations.ToList();
        Used(setting, versions.Keys, all.Select(declaration => declaration.Name), kind, errors);
        foreach (IDeclaration? declaration in all.Where(declaration => !versions.ContainsKey(declaration.Name)))
            errors.Add($"{declaration.Location}: error: {kind} '{declaration.Name}' has no version; name it in settings.json, {setting}");
        foreach ((string? name, string? version) in versions)
            if (!Version.TryParse(version, out _))
                errors.Add($"settings.json: error: {setting}: '{version}' of '{name}' is no version");
    }
}
