using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Tests how the binding finds libusb, and how a program can choose another libusb. Each scenario has its own copy of the binding.</summary>
public sealed class UsbLibraryTests
{
    private const string SearchDirectories = "NATIVE_DLL_SEARCH_DIRECTORIES";
    private static readonly Version s_fakeVersion = new(1, 0, 99);

    [Fact]
    public void The_systems_libusb_is_found_without_a_choice() => Isolated.Run(FindTheSystemsLibrary);

    [Fact]
    public void Nothing_is_loaded_before_the_first_use() => Isolated.Run(LookBeforeTheFirstUse);

    [Fact]
    public void A_chosen_path_is_loaded()
    {
        using var fake = new FakeLibrary(s_fakeVersion);
        Isolated.Run(ChoosePath, fake.Path);
    }

    [Fact]
    public void A_chosen_path_that_does_not_exist_is_not_replaced_by_a_search() => Isolated.Run(ChooseMissingPath);

    [Fact]
    public void A_library_that_is_not_libusb_is_refused()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("libusb-0.1.so");
        CCompiler.Run("int usb_init(void) { return 0; }\n", "-shared", "-fPIC", "-o", path);
        Isolated.Run(ChooseForeignPath, path);
        Isolated.Run(ResolveForeignLibrary, path);
    }

    [Fact]
    public void Choosing_after_the_first_use_is_refused()
    {
        using var fake = new FakeLibrary(s_fakeVersion);
        Isolated.Run(ChooseTooLate, fake.Path);
    }

    [Fact]
    public void After_a_failure_another_choice_is_possible()
    {
        using var fake = new FakeLibrary(s_fakeVersion);
        Isolated.Run(FailAndChooseAgain, fake.Path);
    }

    [Fact]
    public void The_applications_resolver_supplies_the_library()
    {
        using var fake = new FakeLibrary(s_fakeVersion);
        Isolated.Run(Resolve, fake.Path);
    }

    [Fact]
    public void The_search_continues_after_a_resolver_that_returns_nothing() => Isolated.Run(ResolveToNothing);

    [Fact]
    public void A_resolver_that_uses_libusb_is_refused() => Isolated.Run(ResolveWithLibUsb);

    [Fact]
    public void The_last_choice_counts()
    {
        using var fake = new FakeLibrary(s_fakeVersion);
        Isolated.Run(ChooseTwice, fake.Path);
    }

    [Fact]
    public void Bad_choices_are_refused_at_once() => Isolated.Run(ChooseBadly);

    // The .NET host lists the folders that contain the native files of the application's packages (runtimes/<rid>/native). The binding searches these folders
    // before it looks for the system's library. If a file in one of the folders is broken, the search continues.
    [Theory]
    [InlineData("libusb-1.0.so.0")]
    [InlineData("libusb-1.0.so")]
    public void The_applications_own_copy_comes_first(string fileName)
    {
        Assert.True(OperatingSystem.IsLinux(), "This test knows the file names of Linux only.");
        using var broken = new TemporaryFolder();
        File.WriteAllText(broken.File(fileName), "not a library");
        using var fake = new FakeLibrary(s_fakeVersion, name: fileName);
        object? before = AppContext.GetData(SearchDirectories);
        AppContext.SetData(SearchDirectories, $"{broken.Path}{Path.PathSeparator}{fake.Folder}{Path.PathSeparator}{before}");
        try
        {
            Isolated.Run(FindTheApplicationsCopy, fake.Path);
        }
        finally
        {
            AppContext.SetData(SearchDirectories, before);
        }
    }

    [Fact]
    public void Many_threads_that_start_at_once_load_one_library()
    {
        using var fake = new FakeLibrary(s_fakeVersion);
        Isolated.Run(LoadOnManyThreads, fake.Path);
    }

    private static void FindTheSystemsLibrary(string argument)
    {
        Assert.True(UsbLibrary.Version.ToVersion() >= new Version(1, 0, 20), UsbLibrary.Version.ToVersion().ToString());
        Assert.True(UsbLibrary.IsLoaded);
        Assert.False(UsbLibrary.IsStaticallyLinked);
        Assert.True(File.Exists(UsbLibrary.LoadedPath), UsbLibrary.LoadedPath);
        Assert.Contains("libusb", Path.GetFileName(UsbLibrary.LoadedPath), StringComparison.Ordinal);
    }

    private static void LookBeforeTheFirstUse(string argument)
    {
        Assert.False(UsbLibrary.IsLoaded);
        Assert.Null(UsbLibrary.LoadedPath);
        _ = UsbLibrary.Version.ToVersion();
        Assert.True(UsbLibrary.IsLoaded);
    }

    private static void ChoosePath(string path)
    {
        UsbLibrary.SetPath(path);
        Assert.Equal(s_fakeVersion, UsbLibrary.Version.ToVersion());
        Assert.Equal(path, UsbLibrary.LoadedPath);
        Assert.False(UsbLibrary.IsStaticallyLinked);
    }

    private static void ChooseMissingPath(string argument)
    {
        UsbLibrary.SetPath("/no/such/libusb.so");
        var exception = Assert.Throws<DllNotFoundException>(() => UsbLibrary.Version.ToVersion());
        Assert.Contains("Tried: /no/such/libusb.so (", exception.Message, StringComparison.Ordinal);
        Assert.False(UsbLibrary.IsLoaded);
    }

    private static void ChooseForeignPath(string path)
    {
        UsbLibrary.SetPath(path);
        var exception = Assert.Throws<DllNotFoundException>(() => UsbLibrary.Version.ToVersion());
        Assert.Contains($"{path} (loads, but is not libusb 1.0)", exception.Message, StringComparison.Ordinal);
    }

    private static void ResolveForeignLibrary(string path)
    {
        UsbLibrary.SetResolver(() => NativeLibrary.Load(path));
        var exception = Assert.Throws<DllNotFoundException>(() => UsbLibrary.Version.ToVersion());
        Assert.Contains("resolver", exception.Message, StringComparison.Ordinal);
    }

    private static void ChooseTooLate(string path)
    {
        _ = UsbLibrary.Version.ToVersion();
        var exception = Assert.Throws<InvalidOperationException>(() => UsbLibrary.SetPath(path));
        Assert.Contains("in use already", exception.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => UsbLibrary.SetResolver(() => 0));
        Assert.NotEqual(s_fakeVersion, UsbLibrary.Version.ToVersion());
    }

    private static void FailAndChooseAgain(string path)
    {
        UsbLibrary.SetPath("/no/such/libusb.so");
        Assert.Throws<DllNotFoundException>(() => UsbLibrary.Version.ToVersion());
        UsbLibrary.SetPath(path);
        Assert.Equal(s_fakeVersion, UsbLibrary.Version.ToVersion());
    }

    private static void Resolve(string path)
    {
        int calls = 0;
        UsbLibrary.SetResolver(() =>
        {
            calls++;
            return NativeLibrary.Load(path);
        });
        Assert.Equal(0, calls);
        Assert.Equal(s_fakeVersion, UsbLibrary.Version.ToVersion());
        Assert.False(UsbLibrary.HasFunction(nameof(libusb.libusb_init)));
        Assert.Equal(path, UsbLibrary.LoadedPath);
        Assert.Equal(1, calls);
    }

    private static void ResolveToNothing(string argument)
    {
        int calls = 0;
        UsbLibrary.SetResolver(() =>
        {
            calls++;
            return 0;
        });
        Assert.NotEqual(s_fakeVersion, UsbLibrary.Version.ToVersion());
        Assert.Equal(1, calls);
    }

    private static void ResolveWithLibUsb(string argument)
    {
        UsbLibrary.SetResolver(() => UsbLibrary.HasFunction(nameof(libusb.libusb_init)) ? 1 : 0);
        var exception = Assert.Throws<InvalidOperationException>(() => UsbLibrary.Version.ToVersion());
        Assert.Contains("about to load", exception.Message, StringComparison.Ordinal);
    }

    private static void ChooseTwice(string path)
    {
        UsbLibrary.SetResolver(() => throw new InvalidOperationException("The last choice must replace this one."));
        UsbLibrary.SetPath(path);
        Assert.Equal(s_fakeVersion, UsbLibrary.Version.ToVersion());
    }

    private static void ChooseBadly(string argument)
    {
        Assert.Throws<ArgumentException>(() => UsbLibrary.SetPath(""));
        Assert.Throws<ArgumentNullException>(() => UsbLibrary.SetPath(null!));
        Assert.Throws<ArgumentNullException>(() => UsbLibrary.SetResolver(null!));
    }

    private static void FindTheApplicationsCopy(string path)
    {
        Assert.Equal(s_fakeVersion, UsbLibrary.Version.ToVersion());
        Assert.Equal(path, UsbLibrary.LoadedPath);
    }

    private static void LoadOnManyThreads(string path)
    {
        int calls = 0;
        UsbLibrary.SetResolver(() =>
        {
            Interlocked.Increment(ref calls);
            return NativeLibrary.Load(path);
        });
        using var start = new Barrier(8);
        var versions = new Version?[8];
        var failures = new Exception?[8];
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(i => new Thread(() =>
        {
            start.SignalAndWait();
            try
            {
                versions[i] = UsbLibrary.Version.ToVersion();
            }
            catch (Exception exception)
            {
                failures[i] = exception; // An exception that leaves a thread ends the whole test run.
            }
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            Assert.True(thread.Join(TimeSpan.FromSeconds(30)), "A thread hangs while libusb is loaded.");
        Assert.All(failures, Assert.Null);
        Assert.All(versions, version => Assert.Equal(s_fakeVersion, version));
        Assert.Equal(1, calls);
    }
}
