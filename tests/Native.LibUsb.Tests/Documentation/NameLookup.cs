using System.Reflection;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>Looks up names that the documentation contains: public types and members of the libraries, and tests of this assembly.</summary>
internal static class NameLookup
{
    private static readonly ILookup<string, Type> s_types = new[] { typeof(UsbContext).Assembly, typeof(VirtualBus).Assembly }
        .SelectMany(assembly => assembly.GetExportedTypes()).ToLookup(NameOf);

    private static readonly HashSet<string> s_tests = [.. typeof(NameLookup).Assembly.GetTypes()
        .Where(type => !type.IsAbstract)
        .SelectMany(type => type.GetMethods()
            .Where(method => method.IsDefined(typeof(FactAttribute), inherit: true)) // [Theory], [BusFact] and [BusTheory] derive from it
            .Select(method => $"{type.Name}.{method.Name}"))];

    /// <summary>
    /// Determines whether a public type or member exists. The name has the form <c>Type</c>, <c>Type.Member</c> (any overload), <c>Type.ctor</c> or
    /// <c>Type.this[]</c>. The name contains no type parameters. The name of a nested type begins with the name of the outer type.
    /// </summary>
    internal static bool MemberExists(string name)
    {
        if (s_types.Contains(name))
            return true;
        int dot = name.LastIndexOf('.');
        return dot > 0 && s_types[name[..dot]].Any(type => HasMember(type, name[(dot + 1)..]));
    }

    /// <summary>Determines whether a test <c>Class.Method</c> exists.</summary>
    internal static bool TestExists(string name) => s_tests.Contains(name);

    private static bool HasMember(Type type, string member) => member switch
    {
        "ctor" => type.GetConstructors().Length > 0,
        "this[]" => type.GetProperties().Any(property => property.GetIndexParameters().Length > 0),
        _ => type.GetMember(member, BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static).Length > 0,
    };

    private static string NameOf(Type type)
    {
        string name = type.Name.Split('`')[0];
        return type.DeclaringType is { } outer ? $"{NameOf(outer)}.{name}" : name;
    }
}
