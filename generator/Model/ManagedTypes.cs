using Native.LibUsb.Generator.Settings;

namespace Native.LibUsb.Generator.Model;

/// <summary>Maps C types to blittable C# types. If a C type has no blittable counterpart, the class reports an error.</summary>
internal sealed class ManagedTypes
{
    private static readonly Dictionary<string, string> s_builtIn = new()
    {
        ["void"] = "void",
        ["char"] = "byte",
        ["signed char"] = "sbyte",
        ["unsigned char"] = "byte",
        ["short"] = "short",
        ["unsigned short"] = "ushort",
        ["int"] = "int",
        ["unsigned int"] = "uint",
        ["long"] = "CLong",
        ["unsigned long"] = "CULong",
        ["long long"] = "long",
        ["unsigned long long"] = "ulong",
        ["float"] = "float",
        ["double"] = "double",
        ["int8_t"] = "sbyte",
        ["uint8_t"] = "byte",
        ["int16_t"] = "short",
        ["uint16_t"] = "ushort",
        ["int32_t"] = "int",
        ["uint32_t"] = "uint",
        ["int64_t"] = "long",
        ["uint64_t"] = "ulong",
        ["intptr_t"] = "nint",
        ["uintptr_t"] = "nuint",
        ["ssize_t"] = "nint",
        ["size_t"] = "nuint",
        ["ptrdiff_t"] = "nint",
    };

    private readonly Dictionary<string, CEnum> _enums;
    private readonly Dictionary<string, CRecord> _records;
    private readonly IReadOnlyDictionary<string, CType> _typedefs;
    private readonly HashSet<string> _callbacks;
    private readonly IReadOnlyDictionary<string, string> _external;

    public ManagedTypes(CHeader header, GeneratorSettings settings)
    {
        _enums = header.Enums.ToDictionary(item => item.Name);
        _records = header.Records.ToDictionary(record => record.Name);
        _callbacks = [.. header.Callbacks.Select(callback => callback.Name)];
        _typedefs = header.Typedefs;
        _external = settings.External;
    }

    /// <summary>Returns the C# counterpart of a C type.</summary>
    /// <param name="type">The C type.</param>
    /// <param name="nested">The name of the C# type if <paramref name="type"/> is a record that has no name in C.</param>
    /// <exception cref="FormatException">The type has no counterpart in C#.</exception>
    public string Map(CType type, string? nested = null) => type switch
    {
        CPointerType { Target: CFunctionType function } => FunctionPointer(function),
        CPointerType pointer => Map(pointer.Target) + "*",
        CArrayType { Length: null } array => Map(array.Element) + "*",
        CAnonymousType when nested is not null => nested,
        CNamedType named => MapName(named.Name),
        _ => throw new FormatException("it has no counterpart in C#"),
    };

    /// <summary>Returns <c>delegate* unmanaged</c>, with the platform's own calling convention.</summary>
    public string FunctionPointer(CFunctionType function, string conventions = "") => function.IsVariadic
        ? throw new FormatException("a variadic function pointer has no counterpart in C#")
        : $"delegate* unmanaged{conventions}<{string.Join(", ", function.Parameters.Append(function.Returns).Select(type => Map(type)))}>";

    /// <summary>Returns whether the C type has a part that the C# type cannot express: <c>const</c>, plain <c>char</c>, or a typedef that is not
    /// generated.</summary>
    public bool LosesMeaning(CType type) => type.PointsToConst || Innermost(type) is { } name && (name == "char" || IsVanishingTypedef(name));

    /// <summary>Returns the named record that a field contains by value; null if the field contains none.</summary>
    public CRecord? RecordOf(CType type) => type is CNamedType { Name: var name }
        ? _records.GetValueOrDefault(name) ?? (_typedefs.TryGetValue(name, out CType? target) && target != type ? RecordOf(target) : null)
        : null;

    public bool IsCallback(string name) => _callbacks.Contains(name);

    /// <summary>Returns whether the header or the hand-written C# code declares a type. The result is false for a built-in type.</summary>
    public bool IsDeclared(string name) => _enums.ContainsKey(name) || _records.ContainsKey(name) || _external.ContainsKey(name);

    private static string? Innermost(CType type) => type switch
    {
        CNamedType named => named.Name,
        CPointerType pointer => Innermost(pointer.Target),
        CArrayType array => Innermost(array.Element),
        _ => null,
    };

    private bool IsVanishingTypedef(string name) =>
        !s_builtIn.ContainsKey(name) && !_callbacks.Contains(name) && !_enums.ContainsKey(name) && !_records.ContainsKey(name) && _typedefs.ContainsKey(name);

    private string MapName(string name)
    {
        if (s_builtIn.TryGetValue(name, out string? builtIn))
            return builtIn;
        if (_callbacks.Contains(name) || _enums.ContainsKey(name) || _records.ContainsKey(name) || _external.ContainsKey(name))
            return name;
        if (_typedefs.TryGetValue(name, out CType? target))
            return Map(target);
        throw new FormatException($"'{name}' is not known; a type that is written by hand is named in settings.json, external{Suggestion.For(name, _records.Keys.Concat(_enums.Keys))}");
    }
}
