using System.Reflection;
using Native.LibUsb.Interop;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.PublicApi;

/// <summary>The public API changes only when somebody means it: what there is must be what <c>*.approved.txt</c> says.</summary>
public sealed class PublicApiTests
{
    private const string Approve = "UPDATE_APPROVED";

    private static readonly string s_raw = typeof(libusb).Namespace!;

    [Fact]
    public void The_facade_is_the_approved_one() => Check("Native.LibUsb", typeof(UsbContext).Assembly, type => type.Namespace != s_raw);

    [Fact]
    public void The_raw_layer_is_the_approved_one() => Check("Native.LibUsb.Interop", typeof(libusb).Assembly, type => type.Namespace == s_raw);

    [Fact]
    public void The_virtual_bus_is_the_approved_one() => Check("Native.LibUsb.Testing", typeof(VirtualBus).Assembly, _ => true);

    private static void Check(string name, Assembly assembly, Func<Type, bool> isPart)
    {
        string actual = ApiText.Write(assembly.GetExportedTypes().Where(isPart));
        string path = Repository.PathOf("tests", "Native.LibUsb.Tests", "PublicApi", $"{name}.approved.txt");
        if (Environment.GetEnvironmentVariable(Approve) == "1")
        {
            File.WriteAllText(path, actual);
            return;
        }

        string difference = ApiDifference.Describe(File.Exists(path) ? File.ReadAllText(path) : "", actual);
        Assert.True(
            difference.Length == 0,
            $"The public API of {name} differs from {Path.GetFileName(path)} (- approved, + now):\n\n{difference}\n"
            + $"If that is meant, approve it: {Approve}=1 dotnet test tests/Native.LibUsb.Tests --filter FullyQualifiedName~PublicApi");
    }
}
