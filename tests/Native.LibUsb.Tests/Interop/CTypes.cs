using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Translates a C# type of the raw layer into C declarations without <c>const</c>.</summary>
internal static class CTypes
{
    /// <summary>
    /// Gets the C declarations that correspond to a C# type. A pointer to <see cref="byte"/> has two declarations, because it corresponds to a pointer to
    /// <c>unsigned char</c> and to a pointer to <c>char</c>.
    /// </summary>
    internal static IEnumerable<string> Declare(LibUsbHeader header, Type type, string name)
    {
        if (type.IsPointer)
        {
            (Type target, int depth) = (type.GetElementType()!, 1);
            for (; target.IsPointer; depth++)
                target = target.GetElementType()!;
            string stars = new('*', depth);
            return (target == typeof(byte) ? (string[])["unsigned char", "char"] : [Simple(header, target)]).Select(text => $"{text} {stars}{name}");
        }
        if (type.IsFunctionPointer)
        {
            Assert.True(type.IsUnmanagedFunctionPointer, $"{type} is a pointer to a managed function.");
            return Signatures(header, type.GetFunctionPointerReturnType(), type.GetFunctionPointerParameterTypes(), $"(*{name})");
        }
        return [$"{Simple(header, type)} {name}"];
    }

    /// <summary>Gets the C prototypes that correspond to a C# signature.</summary>
    internal static IEnumerable<string> Signatures(LibUsbHeader header, Type returns, IReadOnlyList<Type> parameters, string name)
    {
        IEnumerable<string> lists = [""];
        foreach (Type parameter in parameters)
            lists = lists.SelectMany(list => Declare(header, parameter, "").Select(text => list.Length == 0 ? text : $"{list}, {text}"));
        return lists.SelectMany(list => Declare(header, returns, $"{name}({(list.Length == 0 ? "void" : list)})"));
    }

    private static string Simple(LibUsbHeader header, Type type) => type switch
    {
        _ when type == typeof(void) => "void",
        _ when type == typeof(byte) => "uint8_t",
        _ when type == typeof(short) => "short",
        _ when type == typeof(ushort) => "uint16_t",
        _ when type == typeof(int) => "int",
        _ when type == typeof(uint) => "uint32_t",
        _ when type == typeof(nint) => "ssize_t",
        _ when type == typeof(nuint) => "size_t",
        _ when type == typeof(CULong) => "unsigned long",
        _ when type == typeof(timeval) => "struct timeval",
        _ when type.IsEnum => header.EnumType(type.Name),
        _ when RawSurface.Records.Contains(type) => $"struct {type.Name}",
        _ => throw new NotSupportedException($"The tests do not know what {type} is in C."),
    };
}
