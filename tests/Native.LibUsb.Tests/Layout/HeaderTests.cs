using System.Reflection;
using System.Runtime.InteropServices;
using Native.LibUsb.Interop;
using Native.LibUsb.Tests.Interop;

namespace Native.LibUsb.Tests.Layout;

/// <summary>
/// Tests that the raw layer agrees with libusb.h. The tests use reflection to generate a C program with assertions about the C# types. The C compiler compiles
/// this program with the header, and reports every difference.
/// </summary>
public sealed class HeaderTests
{
    // The headers are read only once, because each header requires three runs of the compiler.
    public static TheoryData<string> Headers => [.. LibUsbHeader.All.Select(header => header.Name)];

    [Theory]
    [MemberData(nameof(Headers))]
    public void The_compiler_agrees_with_every_record_enumeration_constant_and_prototype(string name)
    {
        LibUsbHeader header = Header(name);
        (int exitCode, string errors) = header.TryCompile(HeaderCheck.OfEverything(header).Source);
        Assert.True(exitCode == 0, $"The C# side differs from the {name} header:\n{errors}");
    }

    [Theory]
    [InlineData("_Static_assert(sizeof(struct libusb_transfer) == 72, \"wrong size\");")]
    [InlineData("_Static_assert(__builtin_types_compatible_p(__typeof__(&libusb_close), void (*)(libusb_device *)), \"wrong type\");")]
    [InlineData("_Static_assert((long long)(LIBUSB_ERROR_IO) == -2LL, \"wrong value\");")]
    [InlineData("_Static_assert(offsetof(struct libusb_transfer, no_such_field) == 0, \"\");")]
    public void The_compiler_reports_wrong_claims(string claim)
    {
        Assert.NotEqual(0, Header("installed").TryCompile(claim).ExitCode);
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public void Every_function_of_the_header_is_there_and_no_other(string name)
    {
        LibUsbHeader header = Header(name);
        // libusb_le16_to_cpu is a macro in C and a method in C#.
        IEnumerable<string> methods = RawSurface.Methods.Select(method => method.Name).Distinct().Where(method => method != nameof(libusb.libusb_le16_to_cpu));
        Assert.Equal(header.Functions.Order(StringComparer.Ordinal), methods.Order(StringComparer.Ordinal));
        Assert.Equal(14, header.InlineFunctions.Count);
        Assert.Equal(104, header.Functions.Count - header.InlineFunctions.Count);
    }

    [Theory]
    [MemberData(nameof(Headers))]
    public void Every_enumeration_member_of_the_header_is_there_and_no_other(string name) =>
        Assert.Equal(Header(name).EnumMembers.Order(StringComparer.Ordinal), RawSurface.Enums.SelectMany(Enum.GetNames).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Headers))]
    public void Every_constant_of_the_header_is_there_and_no_other(string name) =>
        Assert.Equal(Header(name).MacroConstants.Order(StringComparer.Ordinal), RawSurface.Constants.Select(constant => constant.Name).Order(StringComparer.Ordinal));

    // If the generated program does not cover a type or member, the type or member has not been compared with C.
    [Fact]
    public void Every_member_of_the_raw_layer_is_compared()
    {
        HashSet<MemberInfo> covered = HeaderCheck.OfEverything(Header("installed")).Covered;
        // Two types have no counterpart in C: the class with the functions, and the class that searches for the library.
        IEnumerable<Type> types = RawSurface.Types.Where(type => type != typeof(libusb) && type != typeof(UsbLibrary));
        IEnumerable<MemberInfo> everything = types.Concat<MemberInfo>(typeof(libusb).GetMembers(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly));
        Assert.Empty(everything.Where(member => !covered.Contains(member)).Select(member => $"{member.DeclaringType?.Name}.{member.Name}"));
    }

    [Fact]
    public void A_function_is_imported_once_or_looked_up_by_name_or_written_here()
    {
        string[] functions = [.. Header("installed").Functions.Except(Header("installed").InlineFunctions).Order(StringComparer.Ordinal)];
        Assert.Empty(RawSurface.Imports.Select(import => import.Key).Intersect(RawSurface.OptionalFunctions.Keys));
        Assert.Equal(functions, RawSurface.Imports.Select(import => import.Key).Concat(RawSurface.OptionalFunctions.Keys).Order(StringComparer.Ordinal));
        Assert.All(RawSurface.Imports.Where(import => import.Key != "libusb_set_option"), import => Assert.Single(import));
    }

    // libusb.h requires stdcall on 32-bit Windows and cdecl on other systems. These are the platforms' default calling conventions.
    [Fact]
    public void Imports_use_the_platforms_calling_convention_and_one_library_name()
    {
        foreach (RawSurface.Import import in RawSurface.Imports.SelectMany(imports => imports))
        {
            Assert.Equal("libusb-1.0", import.Library);
            Assert.True(import.IsExact, import.EntryPoint);
            Assert.False(import.SetsLastError, import.EntryPoint);
            Assert.Equal(CallingConvention.Winapi, import.Convention);
            // The function with variable arguments uses cdecl on every system.
            bool isVariadic = import.EntryPoint == "libusb_set_option";
            UnmanagedCallConvAttribute? convention = import.Method.GetCustomAttribute<UnmanagedCallConvAttribute>();
            Assert.Equal(isVariadic, convention?.CallConvs is { Length: > 0 });
        }
    }

    private static LibUsbHeader Header(string name) => LibUsbHeader.All.Single(header => header.Name == name);
}
