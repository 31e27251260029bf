using System.Reflection;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Gets the types and functions of the raw layer by reflection.</summary>
internal static class RawSurface
{
    private const BindingFlags PublicStatic = BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly;

    /// <summary>Gets the public types of the layer.</summary>
    internal static IReadOnlyList<Type> Types { get; } =
        [.. typeof(libusb).Assembly.GetExportedTypes().Where(type => type.Namespace == typeof(libusb).Namespace && !type.IsNested)];

    /// <summary>Gets the structures of libusb.h, including the opaque structures, which a program accesses only by address.</summary>
    internal static IReadOnlyList<Type> Records { get; } = [.. Types.Where(type => type is { IsValueType: true, IsEnum: false } && type != typeof(timeval))];

    internal static IReadOnlyList<Type> Enums { get; } = [.. Types.Where(type => type.IsEnum)];

    internal static IReadOnlyList<FieldInfo> Constants { get; } = [.. typeof(libusb).GetFields(PublicStatic)];

    /// <summary>Gets all public methods, including overloads, of the class with libusb's functions.</summary>
    internal static IReadOnlyList<MethodInfo> Methods { get; } = [.. typeof(libusb).GetMethods(PublicStatic)];

    /// <summary>Gets the imports by the name of the imported function.</summary>
    internal static ILookup<string, Import> Imports { get; } =
        typeof(libusb).GetNestedType("Imports", BindingFlags.NonPublic)!.GetMethods(PublicStatic | BindingFlags.NonPublic)
            .Select(Import.TryRead).OfType<Import>()
            .ToLookup(import => import.EntryPoint);

    /// <summary>
    /// Gets the optional functions. When a program calls such a function, the binding looks it up by name. The value of each entry is the libusb version that
    /// introduced the function.
    /// </summary>
    internal static IReadOnlyDictionary<string, Version> OptionalFunctions { get; } = ReadOptionalFunctions();

    private static Dictionary<string, Version> ReadOptionalFunctions()
    {
        Type type = typeof(libusb).Assembly.GetType("Native.LibUsb.Interop.OptionalExports", throwOnError: true)!;
        string[] Read(string field) => (string[])type.GetField(field, BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        return Read("s_names").Zip(Read("s_versions")).ToDictionary(pair => pair.First, pair => Version.Parse(pair.Second));
    }

    /// <summary>Represents the declaration of an imported function. The source generator of LibraryImport has written this declaration.</summary>
    internal sealed record Import(MethodInfo Method, string EntryPoint, string Library, bool IsExact, bool SetsLastError, CallingConvention Convention)
    {
        internal static Import? TryRead(MethodInfo method)
        {
#pragma warning disable RS0030 // Our own imports must not use the attribute; this code only reads generated attributes.
            return method.GetCustomAttribute<DllImportAttribute>() is { } attribute
                ? new Import(
                    method, attribute.EntryPoint ?? method.Name, attribute.Value, attribute.ExactSpelling, attribute.SetLastError, attribute.CallingConvention)
                : null;
#pragma warning restore RS0030
        }
    }
}
