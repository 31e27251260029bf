using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Native.LibUsb.Tests.PublicApi;

/// <summary>
/// The public surface of types as C# text: one line for each type, one indented line for each member, both in ordinal order. It has all that a
/// caller can depend on, names of parameters and default values included, and nothing that differs from run to run.
/// </summary>
internal static class ApiText
{
    /// <summary>What indents the members of a type.</summary>
    internal const string Indent = "    ";

    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<string, string> s_operators = new()
    {
        ["op_Equality"] = "==", ["op_Inequality"] = "!=", ["op_LessThan"] = "<", ["op_GreaterThan"] = ">", ["op_LessThanOrEqual"] = "<=",
        ["op_GreaterThanOrEqual"] = ">=", ["op_Addition"] = "+", ["op_Subtraction"] = "-",
    };

    internal static string Write(IEnumerable<Type> types)
    {
        var text = new StringBuilder();
        foreach ((string header, Type type) in types.Select(type => (Header(type), type)).OrderBy(pair => TypeText.Full(pair.type), StringComparer.Ordinal))
        {
            if (text.Length > 0)
                text.Append('\n');
            text.Append(header).Append('\n');
            foreach (string member in Members(type).Order(StringComparer.Ordinal))
                text.Append(Indent).Append(member).Append('\n');
        }

        return text.ToString();
    }

    private static string Header(Type type)
    {
        string access = Attributes(type) + (type.IsNestedFamily || type.IsNestedFamORAssem ? "protected " : "public ");
        string name = TypeText.Full(type);
        if (type.IsEnum)
            return $"{access}enum {name} : {TypeText.Of(type.GetEnumUnderlyingType())}";
        if (type.IsSubclassOf(typeof(Delegate)))
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            return $"{access}delegate {TypeText.Of(invoke.ReturnParameter)} {name}({Parameters(invoke)}){Constraints(type.GetGenericArguments())}";
        }

        return $"{access}{Kind(type)} {name}{Bases(type)}{Constraints(type.GetGenericArguments())}";
    }

    private static string Kind(Type type)
    {
        if (type.IsInterface)
            return "interface";
        if (type.IsValueType)
            return (IsReadOnly(type) ? "readonly " : "") + (type.IsByRefLike ? "ref struct" : "struct");
        return type switch
        {
            { IsAbstract: true, IsSealed: true } => "static class",
            { IsAbstract: true } => "abstract class",
            { IsSealed: true } => "sealed class",
            _ => "class",
        };
    }

    private static string Bases(Type type)
    {
        var bases = new List<string>();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
            bases.Add(TypeText.Of(parent));
        Type[] all = type.GetInterfaces();
        IEnumerable<Type> inherited = all.SelectMany(one => one.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []);
        bases.AddRange(all.Except(inherited).Where(one => one.IsVisible).Select(one => TypeText.Of(one)).Order(StringComparer.Ordinal));
        return bases.Count == 0 ? "" : " : " + string.Join(", ", bases);
    }

    private static string Constraints(Type[] parameters)
    {
        var text = new StringBuilder();
        foreach (Type parameter in parameters.Where(parameter => parameter.IsGenericParameter))
        {
            var constraints = new List<string>();
            GenericParameterAttributes special = parameter.GenericParameterAttributes;
            bool isStruct = special.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
            if (special.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
                constraints.Add("class");
            if (isStruct)
                constraints.Add("struct");
            constraints.AddRange(parameter.GetGenericParameterConstraints().Where(one => one != typeof(ValueType)).Select(one => TypeText.Of(one)).Order(StringComparer.Ordinal));
            if (special.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct)
                constraints.Add("new()");
            if (special.HasFlag(GenericParameterAttributes.AllowByRefLike))
                constraints.Add("allows ref struct");
            if (constraints.Count > 0)
                text.Append(" where ").Append(parameter.Name).Append(" : ").AppendJoin(", ", constraints);
        }

        return text.ToString();
    }

    private static IEnumerable<string> Members(Type type)
    {
        if (type.IsEnum)
            return type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => Attributes(field) + field.Name + " = " + TypeText.Literal(field.GetRawConstantValue()));
        if (type.IsSubclassOf(typeof(Delegate)))
            return [];
        return type.GetFields(Declared).Where(field => IsVisible(field.Attributes)).Select(Field)
            .Concat(type.GetConstructors(Declared).Where(IsVisible).Select(constructor => $"{Attributes(constructor)}{Access(constructor)}{TypeText.Simple(type)}({Parameters(constructor)})"))
            .Concat(type.GetProperties(Declared).Where(property => property.GetAccessors(nonPublic: true).Any(IsVisible)).Select(Property))
            .Concat(type.GetEvents(Declared).Where(one => IsVisible(one.AddMethod!)).Select(Event))
            .Concat(type.GetMethods(Declared).Where(method => IsVisible(method) && !IsAccessor(method)).Select(Method));
    }

    private static string Field(FieldInfo field)
    {
        string access = Attributes(field) + (field.IsPublic ? "public " : "protected ");
        string name = $"{TypeText.Of(field)} {field.Name}";
        if (field.IsLiteral)
            return $"{access}const {name} = {TypeText.Literal(field.GetRawConstantValue())}";
        return access + (field.IsStatic ? "static " : "") + (field.IsInitOnly ? "readonly " : "")
            + (field.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "") + name;
    }

    private static string Property(PropertyInfo property)
    {
        MethodInfo[] accessors = [.. property.GetAccessors(nonPublic: true).Where(IsVisible)];
        MethodInfo first = accessors.FirstOrDefault(accessor => accessor.IsPublic) ?? accessors[0];
        ParameterInfo[] index = property.GetIndexParameters();
        string name = index.Length == 0 ? property.Name : $"this[{string.Join(", ", index.Select(Parameter))}]";
        IEnumerable<string> parts = accessors.OrderBy(accessor => accessor == property.SetMethod).Select(accessor =>
            (Access(accessor) == Access(first) ? "" : "protected ")
            + (accessor == property.GetMethod ? "get;" : IsInitOnly(accessor) ? "init;" : "set;"));
        return Attributes(property) + Access(first) + Modifiers(first) + (property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "")
            + $"{TypeText.Of(property)} {name} {{ {string.Join(' ', parts)} }}";
    }

    private static string Event(EventInfo one) =>
        $"{Attributes(one)}{Access(one.AddMethod!)}{Modifiers(one.AddMethod!)}event {TypeText.Of(one)} {one.Name}";

    private static string Method(MethodInfo method)
    {
        string generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(one => one.Name))}>" : "";
        string returned = TypeText.Of(method.ReturnParameter);
        string name = s_operators.TryGetValue(method.Name, out string? symbol) ? $"{returned} operator {symbol}"
            : method.Name is "op_Implicit" or "op_Explicit" ? $"{method.Name[3..].ToLowerInvariant()} operator {returned}"
            : $"{returned} {method.Name}";
        return Attributes(method) + Access(method) + Modifiers(method) + $"{name}{generic}({Parameters(method)}){Constraints(method.GetGenericArguments())}";
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string conditions = string.Concat(parameter.CustomAttributes
            .Where(attribute => attribute.AttributeType.Namespace == typeof(NotNullWhenAttribute).Namespace)
            .Select(attribute => $"[{attribute.AttributeType.Name[..^"Attribute".Length]}({string.Join(", ", attribute.ConstructorArguments.Select(one => TypeText.Literal(one.Value)))})] "));
        bool isParams = parameter.IsDefined(typeof(ParamArrayAttribute)) || parameter.IsDefined(typeof(ParamCollectionAttribute));
        string text = $"{conditions}{(isParams ? "params " : "")}{TypeText.Of(parameter)} {parameter.Name}";
        return parameter.HasDefaultValue ? $"{text} = {TypeText.Default(parameter)}" : text;
    }

    private static string Modifiers(MethodInfo method)
    {
        bool onInterface = method.DeclaringType!.IsInterface;
        string text = method.IsStatic ? "static " : "";
        if (method.IsAbstract)
            text += method.IsStatic || !onInterface ? "abstract " : "";
        else if (method.IsVirtual && method.GetBaseDefinition() != method)
            text += method.IsFinal ? "sealed override " : "override ";
        else if (method is { IsVirtual: true, IsFinal: false })
            text += "virtual ";
        return text + (method.DeclaringType.IsValueType && !IsReadOnly(method.DeclaringType) && IsReadOnly(method) ? "readonly " : "");
    }

    private static string Attributes(MemberInfo member)
    {
        string text = member.IsDefined(typeof(FlagsAttribute), inherit: false) ? "[Flags] " : "";
        return member.GetCustomAttribute<ObsoleteAttribute>(inherit: false) is { } obsolete && !obsolete.Message!.StartsWith("Types with embedded references", StringComparison.Ordinal)
            ? text + $"[Obsolete({TypeText.Literal(obsolete.Message)})] "
            : text;
    }

    private static string Access(MethodBase method) => method.IsPublic ? "public " : "protected ";

    private static bool IsReadOnly(MemberInfo member) => member.IsDefined(typeof(IsReadOnlyAttribute), inherit: false);

    private static bool IsInitOnly(MethodInfo setter) => setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    // What the compiler makes for itself has a name that C# cannot say.
    private static bool IsVisible(MethodBase method) =>
        (method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly) && !method.Name.Contains('<', StringComparison.Ordinal) && method.Name != "Finalize"
        && (method.IsPublic || !method.DeclaringType!.IsSealed);

    private static bool IsVisible(FieldAttributes attributes) =>
        (attributes & FieldAttributes.FieldAccessMask) is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem
        && !attributes.HasFlag(FieldAttributes.SpecialName);
}
