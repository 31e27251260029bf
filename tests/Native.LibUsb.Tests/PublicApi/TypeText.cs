using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Native.LibUsb.Tests.PublicApi;

/// <summary>Types and values as C# writes them, with <c>?</c> where null is allowed.</summary>
internal static class TypeText
{
    private static readonly NullabilityInfoContext s_nullability = new();

    private static readonly Dictionary<Type, string> s_keywords = new()
    {
        [typeof(void)] = "void", [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(sbyte)] = "sbyte", [typeof(short)] = "short",
        [typeof(ushort)] = "ushort", [typeof(int)] = "int", [typeof(uint)] = "uint", [typeof(long)] = "long", [typeof(ulong)] = "ulong",
        [typeof(nint)] = "nint", [typeof(nuint)] = "nuint", [typeof(float)] = "float", [typeof(double)] = "double", [typeof(decimal)] = "decimal",
        [typeof(char)] = "char", [typeof(string)] = "string", [typeof(object)] = "object",
    };

    internal static string Of(FieldInfo field) => Of(field.FieldType, Nullability(field.FieldType, () => s_nullability.Create(field)));

    internal static string Of(PropertyInfo property) =>
        ByReference(property.PropertyType, IsReadOnly(property)) + Of(property.PropertyType, Nullability(property.PropertyType, () => s_nullability.Create(property)));

    internal static string Of(EventInfo one) => Of(one.EventHandlerType!, s_nullability.Create(one));

    /// <summary>The type of a parameter or of what a method returns, with how it is passed.</summary>
    internal static string Of(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        string passed = parameter.Position < 0 ? ByReference(type, IsReadOnly(parameter))
            : !type.IsByRef ? ""
            : parameter.IsOut ? "out "
            : parameter.IsDefined(typeof(RequiresLocationAttribute)) ? "ref readonly "
            : parameter.IsIn ? "in "
            : "ref ";
        return passed + Of(type, Nullability(type, () => s_nullability.Create(parameter)));
    }

    internal static string Of(Type type, NullabilityInfo? nullability = null)
    {
        if (type.IsByRef)
            return Of(type.GetElementType()!, nullability);
        if (type.IsPointer)
            return Of(type.GetElementType()!) + "*";
        if (type.IsFunctionPointer)
        {
            IEnumerable<string> types = type.GetFunctionPointerParameterTypes().Append(type.GetFunctionPointerReturnType()).Select(one => (one.IsByRef ? "ref " : "") + Of(one));
            return $"delegate*{(type.IsUnmanagedFunctionPointer ? " unmanaged" : "")}<{string.Join(", ", types)}>";
        }

        if (Nullable.GetUnderlyingType(type) is { } value)
            return Of(value) + "?";
        bool mayBeNull = nullability is { ReadState: NullabilityState.Nullable } or { WriteState: NullabilityState.Nullable };
        string mark = mayBeNull && !type.IsValueType && !type.IsGenericParameter ? "?" : "";
        if (type.IsArray)
            return $"{Of(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]{mark}";
        return Simple(type, nullability?.GenericTypeArguments) + mark;
    }

    /// <summary>The name with its namespace and the types around it.</summary>
    internal static string Full(Type type) => $"{type.Namespace}.{Nested(type)}";

    /// <summary>The name with its type arguments, without what is around it.</summary>
    internal static string Simple(Type type) => Named(type, null);

    /// <summary>The default value of a parameter.</summary>
    internal static string Default(ParameterInfo parameter)
    {
        Type type = Nullable.GetUnderlyingType(parameter.ParameterType) ?? parameter.ParameterType;
        if (type.IsByRef)
            type = type.GetElementType()!;
        object? value = parameter.RawDefaultValue;
        if (value is null)
            return parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null ? "default" : "null";
        return type.IsEnum ? string.Join(" | ", Enum.ToObject(type, value).ToString()!.Split(", ").Select(name => $"{type.Name}.{name}")) : Literal(value);
    }

    internal static string Literal(object? value) => value switch
    {
        null => "null",
        bool flag => flag ? "true" : "false",
        string text => $"\"{text}\"",
        char character => $"'{character}'",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };

    private static string Nested(Type type) => type.DeclaringType is { } outer ? $"{Nested(outer)}.{Simple(type)}" : Simple(type);

    private static string Simple(Type type, NullabilityInfo[]? arguments)
    {
        if (s_keywords.TryGetValue(type, out string? keyword))
            return keyword;
        string name = Named(type, arguments);
        return type.DeclaringType is { } outer && !type.IsGenericParameter ? $"{Simple(outer, null)}.{name}" : name;
    }

    // Reflection gives a nested type the type arguments of the types around it; they are written where they belong.
    private static string Named(Type type, NullabilityInfo[]? arguments)
    {
        int tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        if (tick < 0)
            return type.Name;
        int own = int.Parse(type.Name.AsSpan(tick + 1), CultureInfo.InvariantCulture);
        Type[] all = type.GetGenericArguments();
        IEnumerable<string> names = all.Select((one, i) => Of(one, arguments is not null && i < arguments.Length ? arguments[i] : null)).Skip(all.Length - own);
        return $"{type.Name[..tick]}<{string.Join(", ", names)}>";
    }

    // Nothing is annotated in pointers, and reflection does not look into pointers to functions.
    private static NullabilityInfo? Nullability(Type type, Func<NullabilityInfo> read) =>
        type.IsPointer || type.IsFunctionPointer || (type.IsByRef && type.GetElementType()!.IsPointer) ? null : read();

    private static string ByReference(Type type, bool isReadOnly) => !type.IsByRef ? "" : isReadOnly ? "ref readonly " : "ref ";

    private static bool IsReadOnly(ICustomAttributeProvider member) => member.IsDefined(typeof(IsReadOnlyAttribute), inherit: false);
}
