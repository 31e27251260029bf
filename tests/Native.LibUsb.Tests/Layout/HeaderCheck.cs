using System.Globalization;
using System.Reflection;
using System.Text;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Layout;

/// <summary>Generates a C program that checks all parts of the raw layer with static assertions, and lists the members that the program checks.</summary>
internal sealed class HeaderCheck(LibUsbHeader header)
{
    private readonly StringBuilder _source = new();

    /// <summary>Gets the C# members and types that the program checks.</summary>
    internal HashSet<MemberInfo> Covered { get; } = [];

    internal static HeaderCheck OfEverything(LibUsbHeader header)
    {
        var check = new HeaderCheck(header);
        foreach (Type record in RawSurface.Records)
            check.Record(record);
        foreach (Type type in RawSurface.Enums)
            check.Enumeration(type);
        foreach (FieldInfo constant in RawSurface.Constants)
            check.Constant(constant);
        foreach (MethodInfo method in RawSurface.Methods)
            check.Function(method);
        check.Timeval();
        return check;
    }

    internal string Source => _source.ToString();

    internal void Record(Type type)
    {
        Covered.Add(type);
        string name = $"struct {type.Name}";
        if (type.GetFields(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).Length == 0)
        {
            // An opaque structure has no layout and no size in C. The program checks that the name exists both as a type and as a structure.
            Assert_($"sizeof({type.Name} *) == sizeof({name} *)", $"{type.Name} is no type");
            return;
        }
        ManagedRecord record = ManagedRecord.Of(type);
        Assert_($"sizeof({name}) == {record.Size}", $"{type.Name}: size {record.Size}");
        foreach (ManagedRecord.Field field in record.Fields)
        {
            string member = $"((({name} *)0)->{field.Name})";
            Assert_($"offsetof({name}, {field.Name}) == {field.Offset}", $"{type.Name}.{field.Name}: offset {field.Offset}");
            switch (field.Kind)
            {
                case ManagedRecord.FieldKind.Union:
                    Assert_($"sizeof({member}) == {field.Size}", $"{type.Name}.{field.Name}: size {field.Size}");
                    break;
                case ManagedRecord.FieldKind.Single:
                    Assert_($"sizeof({member}) == {field.Size}", $"{type.Name}.{field.Name}: size {field.Size}");
                    AssertType(member, CTypes.Declare(header, field.Type, ""), $"{type.Name}.{field.Name}: type {field.Type}");
                    break;
                case ManagedRecord.FieldKind.Array:
                    Assert_($"sizeof({member}) == {field.Size}", $"{type.Name}.{field.Name}: size {field.Size}");
                    AssertType($"{member}[0]", CTypes.Declare(header, field.Type, ""), $"{type.Name}.{field.Name}: type {field.Type}");
                    break;
                case ManagedRecord.FieldKind.FlexibleArray:
                    AssertType($"{member}[0]", CTypes.Declare(header, field.Type, ""), $"{type.Name}.{field.Name}: type {field.Type}");
                    break;
            }
        }
    }

    internal void Enumeration(Type type)
    {
        Covered.Add(type);
        Assert_($"sizeof({header.EnumType(type.Name)}) == {ManagedRecord.SizeOf(type)}", $"{type.Name}: size");
        foreach (string member in Enum.GetNames(type))
            AssertValue(header.EnumMember(member), Convert.ToInt64(Enum.Parse(type, member), CultureInfo.InvariantCulture));
    }

    internal void Constant(FieldInfo constant)
    {
        Covered.Add(constant);
        AssertValue(constant.Name, Convert.ToInt64(constant.GetValue(null), CultureInfo.InvariantCulture));
    }

    internal void Function(MethodInfo method)
    {
        Covered.Add(method);
        IReadOnlyList<Type> parameters = [.. method.GetParameters().Select(parameter => parameter.ParameterType)];
        if (method.Name == "libusb_set_option")
        {
            // The program checks only the named parameters of the variadic function, because the other parameters depend on the option.
            parameters = [.. parameters.Take(2)];
            AssertType(
                $"&{method.Name}",
                CTypes.Signatures(header, method.ReturnType, parameters, "(*)").Select(text => text[..^1] + ", ...)"),
                $"{method.Name}: prototype");
            return;
        }
        AssertType($"&{method.Name}", CTypes.Signatures(header, method.ReturnType, parameters, "(*)"), $"{method.Name}: prototype");
    }

    private void Timeval()
    {
        Covered.Add(typeof(Native.LibUsb.Interop.timeval));
        Assert_("sizeof(struct timeval) == 16 || sizeof(struct timeval) == 8", "timeval: size");
    }

    private void AssertValue(string name, long value) => Assert_($"(long long)({name}) == {value.ToString(CultureInfo.InvariantCulture)}LL", $"{name}: {value}");

    private void AssertType(string expression, IEnumerable<string> types, string text) =>
        Assert_(string.Join(" || ", types.Select(type => $"__builtin_types_compatible_p(__typeof__({expression}), {type})")), text);

    // The compiler prints the text when the assertion fails.
    private void Assert_(string condition, string text) => _source.Append(CultureInfo.InvariantCulture, $"_Static_assert({condition}, \"{text}\");\n");
}
